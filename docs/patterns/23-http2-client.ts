import { type Dialer, Http2Session } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Console, Effect } from "effect"

/** Asks for all paths at a time, on one connection. */
export const getAll = (target: Dialer.Target, paths: ReadonlyArray<string>, options?: Http2Session.Options) =>
  Effect.gen(function* () {
    const session = yield* Http2Session.connect(target, options)
    const get = (path: string) =>
      session.request({ path }).pipe(
        Effect.flatMap((response) => response.text({ maxSize: "1 MiB" })),
        // Closes the request: what is not over when the time is, is reset, and the other requests go on.
        Effect.scoped,
        Effect.timeout("10 seconds"),
        // The server says that it has not looked at the request, so it can be sent again, whatever its method.
        Effect.retry({
          while: (error) => error._tag === "Http2ClientError" && error.reason.retry === "RefusedByServer",
          times: 3
        })
      )
    return yield* Effect.forEach(paths, get, { concurrency: "unbounded" })
  }).pipe(Effect.scoped)

const Main = getAll({ host: "127.0.0.1", port: 4006 }, ["/", "/json", "/users/7"]).pipe(
  Effect.flatMap((texts) => Effect.forEach(texts, (text) => Console.log(text))),
  Effect.provide(NodeTransport.layerDialer())
)

if (import.meta.main) NodeMain.run(Main)
