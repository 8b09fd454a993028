/**
 * What the programs have in common: flags that say where to listen or whom to
 * call, and the one line that says where a program listens.
 */
import type * as Dialer from "@sluice/core/transport/Dialer"
import { Listener } from "@sluice/core/transport/Listener"
import type { TlsIdentity } from "@sluice/core/transport/Tls"
import * as NodeCertificates from "@sluice/node/NodeCertificates"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Console from "effect/Console"
import * as CliError from "effect/cli/CliError"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"

/** Where a server listens, as its flags say it. */
export interface ListenFlags {
  readonly host: string
  readonly port: number
  readonly unix: Option.Option<string>
  readonly cert: Option.Option<string>
  readonly key: Option.Option<string>
}

export const listenFlags = (defaultPort: number) => ({
  host: Flag.String("host").pipe(
    Flag.withDescription("Address to listen on; 127.0.0.1 unless given"),
    Flag.withDefault("127.0.0.1")
  ),
  port: portFlag("port", defaultPort),
  unix: Flag.String("unix").pipe(Flag.withDescription("Listen on a Unix socket at this path instead"), Flag.optional),
  cert: Flag.String("cert").pipe(Flag.withDescription("Speak TLS: certificate chain, PEM"), Flag.optional),
  key: Flag.String("key").pipe(Flag.withDescription("Speak TLS: private key, PEM"), Flag.optional)
})

export const portFlag = (name: string, defaultPort: number) =>
  plainPortFlag(name).pipe(
    Flag.withDescription(`Port to listen on; ${defaultPort} unless given, 0 takes a free one`),
    Flag.withDefault(defaultPort)
  )

/** Without a default: for a program that finds the port by its other flags. */
export const plainPortFlag = (name: string) =>
  Flag.Int(name).pipe(
    Flag.filter(
      (port) => port >= 0 && port <= 65_535,
      () => "a port, 0 to 65535"
    )
  )

/** TLS needs both files: one alone would silently be cleartext. */
export const validateListen = <Flags extends ListenFlags>(flags: Flags): Effect.Effect<void, CliError.CliError> =>
  Option.isSome(flags.cert) === Option.isSome(flags.key)
    ? Effect.void
    : Effect.fail(new CliError.ValidationError({ message: "TLS needs both --cert and --key" }))

/** What a program adds to its flags. */
export interface ListenerOptions extends Pick<NodeTransport.ListenerOptions, "proxyProtocol"> {
  /** What to show where the flags name no certificate; without either, cleartext. */
  readonly certificates?: TlsIdentity | undefined
  /** What TLS offers by ALPN. */
  readonly alpnProtocols?: ReadonlyArray<string> | undefined
}

/** Certificates are read again when their files change. */
export const layerListener = (
  flags: ListenFlags,
  { proxyProtocol, alpnProtocols, certificates: ownCertificates }: ListenerOptions = {}
) =>
  Layer.effect(Listener)(
    Effect.gen(function* () {
      const certificates =
        Option.isSome(flags.cert) && Option.isSome(flags.key)
          ? yield* NodeCertificates.fromFiles({ certificate: flags.cert.value, key: flags.key.value })
          : ownCertificates
      const tls = certificates === undefined ? undefined : { certificates, alpnProtocols }
      const where = Option.isSome(flags.unix) ? { path: flags.unix.value } : { host: flags.host, port: flags.port }
      return yield* NodeTransport.makeListener({ ...where, proxyProtocol, tls })
    })
  )

/**
 * Serves until a signal comes, and says where, in one line that other programs
 * can read: `tcp-echo listening on 127.0.0.1:4001`. `hint` is for people.
 */
export const launch = <E, R, E2>(
  name: string,
  server: Layer.Layer<never, E, R>,
  listener: Layer.Layer<Listener, E2>,
  hint?: (address: NetAddress.SocketAddress) => string
): Effect.Effect<never, E | E2, Exclude<R, Listener>> => {
  const announce = Effect.flatMap(Listener, ({ address }) => {
    const lines = [`${name} listening on ${formatAddress(address)}`]
    if (hint !== undefined) lines.push(hint(address))
    return Console.log(lines.join("\n"))
  })
  return Layer.effectDiscard(announce).pipe(Layer.provide(server), Layer.provide(listener), Layer.launch)
}

const formatAddress = (address: NetAddress.SocketAddress): string =>
  NetAddress.isUnixPathAddress(address) ? NetAddress.formatUnixPath(address) : NetAddress.formatInet(address)

/** `host:port`, `[::1]:port` or `unix:///path`. */
export const targetFlag = (name: string) =>
  Flag.String(name).pipe(
    Flag.filterMap(parseTarget, () => "host:port, [::1]:port or unix:///path"),
    Flag.withMetavar("host:port")
  )

export const parseTarget = (input: string): Option.Option<Dialer.Target> => {
  if (input.startsWith("unix://")) return Option.some({ path: input.slice("unix://".length) })
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(input)
  const port = Number(match?.[3])
  if (match === null || port < 1 || port > 65_535) return Option.none()
  return Option.some({ host: match[1] ?? match[2]!, port })
}
