/**
 * Forwards each connection to a backend, both ways.
 *
 * Every `send` waits while its peer is slow, and nothing is received
 * meanwhile: backpressure reaches from one end to the other. The end of one
 * direction is forwarded, and the other direction goes on. An end that is lost
 * aborts both: what was cut off must not look like a clean end.
 */
import * as TcpClient from "@sluice/core/client/TcpClient"
import * as ProxyHeader from "@sluice/core/protocol/proxy/ProxyHeader"
import * as TcpServer from "@sluice/core/server/TcpServer"
import type { Connection } from "@sluice/core/session/Connection"
import type * as Dialer from "@sluice/core/transport/Dialer"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as IpNetwork from "effect/net/IpNetwork"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as CommandLine from "./command-line.ts"

export interface Options {
  readonly to: Dialer.Target
  /** How the backend is told the client's address. Default: not at all. */
  readonly proxyProtocol?: "v1" | "v2" | undefined
  /** Default 5 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
}

export const server = (options: Options) =>
  TcpServer.serve((client) =>
    Effect.gen(function* () {
      const backend = yield* TcpClient.connect(options.to, {
        connectTimeout: options.connectTimeout ?? "5 seconds"
      }).pipe(Effect.tapError((error) => Effect.logWarning(error.message)))
      if (options.proxyProtocol !== undefined) yield* backend.send(header(options.proxyProtocol, client))
      yield* Effect.all([forward(client, backend), forward(backend, client)], { concurrency: 2, discard: true }).pipe(
        Effect.onError(() => client.abort)
      )
    })
  ).pipe(Layer.provide(TcpServer.layer()))

const forward = (from: Connection, to: Connection) =>
  Effect.gen(function* () {
    while (true) yield* to.send(yield* from.receive)
  }).pipe(Pull.catchDone(() => to.end))

const header = (version: "v1" | "v2", { local, peer }: Connection): Uint8Array =>
  version === "v1"
    ? ProxyHeader.encodeV1(peer, local)
    : ProxyHeader.encodeV2({ addresses: { source: peer, destination: local } })

const flags = {
  ...CommandLine.listenFlags(4003),
  to: CommandLine.targetFlag("to").pipe(Flag.withDescription("The backend")),
  connectTimeout: Flag.Int("connect-timeout").pipe(
    Flag.withDescription("Milliseconds that the backend may take to accept; 5000 unless given"),
    Flag.filter(
      (millis) => millis > 0,
      () => "milliseconds above 0"
    ),
    Flag.withDefault(5000)
  ),
  proxyProtocol: Flag.Literals("proxy-protocol", ["v1", "v2"]).pipe(
    Flag.withDescription("Tell the backend the client's address in a PROXY header"),
    Flag.optional
  ),
  trust: Flag.String("trust").pipe(
    Flag.filterMap(
      (network) => Result.getSuccess(IpNetwork.fromString(network)),
      () => "a network, such as 10.0.0.0/8"
    ),
    Flag.withDescription("Network whose PROXY headers are believed; may be repeated"),
    Flag.withMetavar("cidr"),
    Flag.atLeast(0)
  )
}

export const command = Command.make("tcp-proxy", flags, ({ to, connectTimeout, proxyProtocol, trust, ...listen }) =>
  CommandLine.launch(
    "tcp-proxy",
    server({ to, connectTimeout, proxyProtocol: Option.getOrUndefined(proxyProtocol) }),
    CommandLine.layerListener(listen, trust.length === 0 ? undefined : { proxyProtocol: { trusted: trust } })
  )
).pipe(Command.withDescription("Forwards connections to a backend"), Command.validate(CommandLine.validateListen))
