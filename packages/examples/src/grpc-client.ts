/**
 * Calls `grpc-greeter`, or any other server of `hello.Greeter`.
 */
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as CommandLine from "./command-line.ts"
import { Greeter } from "./generated/hello_pb.ts"

/** One greeting. */
export const greet = Effect.fnUntraced(function* (name: string) {
  const greeter = yield* GrpcClient.make(Greeter)
  const { message } = yield* greeter.sayHello({ name })
  yield* Console.log(message)
})

/** Greetings as they come. */
export const greetOften = Effect.fnUntraced(function* (name: string) {
  const greeter = yield* GrpcClient.make(Greeter)
  yield* Stream.runForEach(greeter.streamHellos({ name }), ({ message }) => Console.log(message))
})

/** `500ms`, `2s`, `1m`. */
export const parseDuration = (input: string): Option.Option<Duration.Duration> => {
  const match = /^(\d{1,8})(ms|s|m)$/.exec(input)
  if (match === null || Number(match[1]) === 0) return Option.none()
  return Option.some(Duration.millis(Number(match[1]) * unitMillis[match[2] as keyof typeof unitMillis]))
}

const unitMillis = { ms: 1, s: 1_000, m: 60_000 }

const flags = {
  name: Flag.String("name").pipe(Flag.withDescription("Whom to greet; world unless given"), Flag.withDefault("world")),
  stream: Flag.Boolean("stream").pipe(Flag.withDescription("Ask for a stream of greetings"), Flag.withDefault(false)),
  to: CommandLine.targetFlag("to").pipe(
    Flag.withDescription("Where the server listens; 127.0.0.1:4011 unless given"),
    Flag.withDefault({ host: "127.0.0.1", port: 4011 })
  ),
  timeout: Flag.String("timeout").pipe(
    Flag.filterMap(parseDuration, () => "a time above 0, such as 500ms, 2s or 1m"),
    Flag.withDescription("How long the call may take; the server is told. 10s unless given"),
    Flag.withMetavar("2s"),
    Flag.withDefault(Duration.seconds(10))
  ),
  ca: Flag.FileText("ca").pipe(Flag.withDescription("Speak TLS, and trust this authority (PEM)"), Flag.optional)
}

export const command = Command.make("grpc-client", flags, ({ ca, name, stream, timeout, to }) =>
  Effect.provide(
    stream ? greetOften(name) : greet(name),
    GrpcChannel.layer(to, { timeout, tls: Option.isSome(ca) ? { authorities: ca.value } : undefined })
  )
).pipe(Command.withDescription("Calls grpc-greeter"))
