import { Hub, WebSocketServer } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Context, Effect, Layer, Schema } from "effect"
import { HttpRouter } from "effect/http"

class Rooms extends Context.Service<Rooms, Hub.Hub<{ readonly name: string }>>()("Rooms") {}

const Name = Schema.NonEmptyString.check(Schema.isMaxLength(40))

/** `GET /rooms/:room?name=ada`, then text both ways; what others do comes as JSON. */
const enter = Effect.gen(function* () {
  const { name, room } = yield* HttpRouter.schemaParams(Schema.Struct({ room: Name, name: Name }))
  const rooms = yield* Rooms
  return yield* WebSocketServer.handle((socket) =>
    Effect.gen(function* () {
      const me = yield* rooms.join(room, socket, { presence: { name } })
      const tellOthers = (event: object) => rooms.broadcast(room, JSON.stringify(event), { except: me })
      const members = yield* rooms.members(room)
      yield* socket.send(JSON.stringify({ here: members.map(({ presence }) => presence.name) }))
      yield* Effect.acquireRelease(tellOthers({ joined: name }), () => tellOthers({ left: name }))
      yield* socket.runForEach((data) =>
        typeof data === "string" ? tellOthers({ from: name, text: data }) : socket.close(1003, "text, please")
      )
    }).pipe(Effect.catchTag("HubError", ({ reason }) => socket.close(reason.closeCode, reason.message)))
  )
})

export const App = HttpRouter.add("GET", "/rooms/:room", enter)

export const RoomsLive = Hub.layer(Rooms, { maxMembersPerRoom: 100, slowConsumer: { policy: "drop oldest" } })

const Main = HttpRouter.serve(App).pipe(
  Layer.provide(RoomsLive),
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 }))
)

if (import.meta.main) NodeMain.run(Main)
