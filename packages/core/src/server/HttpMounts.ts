/**
 * The mounts of a server: who is asked for a request before its application.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Serving } from "../session/HttpEnvironment.ts"
import type { HttpExchange } from "../session/HttpExchange.ts"
import type { HttpMount, MountHost } from "./HttpMount.ts"

/** All mounts of a server. @category models */
export class HttpMounts {
  private readonly host: MountHost
  private mounts: ReadonlyArray<HttpMount> = []

  constructor(host: MountHost) {
    this.host = host
  }

  add(make: (host: MountHost) => HttpMount): Effect.Effect<void, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.sync(() => {
        const mount = make(this.host)
        this.mounts = [...this.mounts, mount]
        return mount
      }),
      (mount) =>
        Effect.sync(() => {
          this.mounts = this.mounts.filter((one) => one !== mount)
        })
    ).pipe(Effect.asVoid)
  }

  /** Asks the mounts, and then `serve`. */
  before(serve: (exchange: HttpExchange) => Serving | undefined): (exchange: HttpExchange) => Serving | undefined {
    return (exchange) => {
      const { mounts } = this
      // Hot path: a loop by index makes no iterator.
      for (let at = 0; at < mounts.length; at++) {
        const serving = mounts[at]!.serve(exchange)
        if (serving !== "pass") return serving
      }
      return serve(exchange)
    }
  }
}
