/**
 * Where the servers of a service are, now and as it changes.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Limit from "../../protocol/Limit.ts"
import type { Target } from "../../transport/Dialer.ts"

/** One server. @category models */
export interface Endpoint {
  readonly target: Target
  /** `:authority` of its calls. Default: the target. */
  readonly authority?: string | undefined
  /** The name to ask for and to verify with TLS. Default: the host of the target. */
  readonly serverName?: string | undefined
}

/** What a channel tells its resolver. @category models */
export interface Hints {
  /** Completes when a connection has failed, or was lost, since it completed the last time. */
  readonly failed: Effect.Effect<void>
}

/**
 * The servers, as lists: each replaces the one before. Of a stream that ends,
 * the last list stays. One that fails is run again by the channel's backoff,
 * and until then the servers that are known stay.
 *
 * @category models
 */
export interface GrpcResolver<out R = never> {
  readonly endpoints: (hints: Hints) => Stream.Stream<ReadonlyArray<Endpoint>, unknown, R>
}

/** Always the same servers. @category constructors */
export const fixed = (endpoints: ReadonlyArray<Endpoint>): GrpcResolver => make(Stream.make(endpoints))

/** The servers of a stream: a registry, a file that is watched. @category constructors */
export const make = <R>(endpoints: Stream.Stream<ReadonlyArray<Endpoint>, unknown, R>): GrpcResolver<R> => ({
  endpoints: () => endpoints
})

/** @category options */
export interface DnsOptions {
  /** A name, or an address, which is not looked up. */
  readonly host: string
  readonly port: number
  /**
   * How often the name is looked up while all goes well. At least 30 seconds.
   * Default `"unbounded"`: never again. When a connection has failed it is
   * looked up again in any case, but not within 30 seconds of the last time.
   */
  readonly refresh?: Duration.Input | "unbounded" | undefined
}

/** All addresses of a name are servers, in the order of the lookup. @category constructors */
export const dns = (options: DnsOptions): GrpcResolver<Dns.Dns> => {
  const { host, port } = options
  if (Result.isSuccess(NetAddress.ipFromString(host))) return fixed([{ target: { host, port } }])
  const refreshMillis = Limit.millisOrUnbounded("refresh", options.refresh ?? "unbounded")
  if (refreshMillis < leastMillis) throw new RangeError("refresh must be at least 30 seconds")
  const authority = `${host}:${port}`
  const lookup = Effect.flatMap(Dns.Dns, (dns) => dns.lookup(host)).pipe(
    Effect.flatMap((addresses) =>
      // An empty list would stay: no connection fails that is never made.
      addresses.length === 0
        ? Effect.fail(new Error(`${host} has no address`))
        : Effect.succeed(
            addresses.map((address): Endpoint => {
              return { target: NetAddress.inetAddressUnsafe(address, port), authority, serverName: host }
            })
          )
    )
  )
  const refreshed =
    refreshMillis === Number.POSITIVE_INFINITY ? Effect.never : Effect.sleep(refreshMillis - leastMillis)
  return {
    endpoints: ({ failed }) =>
      Stream.unfold("first", (turn) =>
        Effect.gen(function* () {
          if (turn === "again") {
            yield* Effect.sleep(leastMillis)
            yield* Effect.raceFirst(failed, refreshed)
          }
          return [yield* lookup, "again"] as const
        })
      )
  }
}

const leastMillis = 30_000
