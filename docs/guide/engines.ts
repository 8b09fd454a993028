import { Http1Options, Http1Server, WebSocketConnection, WebSocketOptions } from "@sluice/core"
import { NodeMain } from "@sluice/node"
import { Console, Effect } from "effect"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (chunks: ReadonlyArray<Uint8Array>): string =>
  chunks.map((one) => new TextDecoder().decode(one)).join("")

/** An HTTP/1.1 server without a socket, a clock or Effect: bytes and the time go in, calls and bytes come out. */
export const http = (wire: string): string => {
  const engine: Http1Server.Http1Server = new Http1Server.Http1Server(
    {
      onRequest: ({ method, target }) => {
        engine.respond({ status: 200, headers: { "content-type": "text/plain" } }, `${method} ${target}`, 0)
      },
      onUpgrade: () => {},
      onBody: () => {},
      onEnd: () => {},
      onRaw: () => {},
      onPeerEnd: () => {},
      onViolation: () => {},
      onClose: () => {}
    },
    Http1Options.resolve({ headTimeout: "10 seconds" }),
    0
  )
  engine.receive(bytes(wire), 0)
  // Ten seconds later: what is not whole by now is late.
  engine.advance(10_000)
  return textOf(engine.output.take())
}

/** Both ends of a WebSocket, and what the server heard. */
export const webSocket = (message: string): ReadonlyArray<string> => {
  const heard: Array<string> = []
  const make = (role: "client" | "server") => {
    const handler: WebSocketConnection.Handler = {
      onMessage: (data) => heard.push(`${role}: ${data}`),
      onPing: () => {},
      onPong: () => {},
      onViolation: () => {},
      onClose: (code) => heard.push(`${role}: closed ${code}`)
    }
    const shared = { limits: WebSocketOptions.resolve(), nowMillis: 0 }
    return WebSocketConnection.make(
      handler,
      role === "server" ? { role, ...shared } : { role, ...shared, nextMask: () => 0x12345678 }
    )
  }
  const [client, server] = [make("client"), make("server")]
  client.sendText(message)
  client.close(0, 1000)
  for (const chunk of client.output.take()) server.receive(chunk, 0)
  for (const chunk of server.output.take()) client.receive(chunk, 0)
  return heard
}

if (import.meta.main) {
  NodeMain.run(
    Effect.gen(function* () {
      yield* Console.log(http("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /late HTTP/1.1\r\n"))
      yield* Console.log(webSocket("hello"))
    })
  )
}
