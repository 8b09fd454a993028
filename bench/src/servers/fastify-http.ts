/**
 * The small routes of `http-program` on fastify, with schemas for what goes in
 * and out, as its documentation advises.
 */
import Fastify from "fastify"
import * as Announcement from "./Announcement.ts"

interface Order {
  readonly customer: string
  readonly items: ReadonlyArray<{ readonly article: string; readonly quantity: number; readonly priceCents: number }>
  readonly note: string
}

const order = {
  type: "object",
  required: ["customer", "items", "note"],
  properties: {
    customer: { type: "string" },
    items: {
      type: "array",
      items: {
        type: "object",
        required: ["article", "quantity", "priceCents"],
        properties: { article: { type: "string" }, quantity: { type: "number" }, priceCents: { type: "number" } }
      }
    },
    note: { type: "string" }
  }
}

const total = {
  type: "object",
  properties: { customer: { type: "string" }, totalCents: { type: "number" } }
}

const fastify = Fastify()

fastify.get("/", (_request, reply) => {
  reply.send("hello world")
})

fastify.post<{ Body: Order }>("/orders", { schema: { body: order, response: { 200: total } } }, (request, reply) => {
  const { customer, items } = request.body
  reply.send({ customer, totalCents: items.reduce((sum, item) => sum + item.quantity * item.priceCents, 0) })
})

await fastify.listen({ port: 0, host: "127.0.0.1" })
Announcement.listeningOn(fastify.server.address())
