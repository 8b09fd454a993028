/**
 * Runs a program as the process: until it ends, or until a signal ends it.
 *
 * - SIGINT or SIGTERM interrupts the program, whose finalizers drain its
 *   servers; then the process exits with 0.
 * - A second signal exits at once, with 130 (SIGINT) or 143 (SIGTERM).
 * - The end of a stream (`Cause.Done`) is a normal end, as everywhere.
 * - A failure is one line on standard error, and exit code 1 (or the code
 *   that the error names with `Runtime.errorExitCode`); none for an error
 *   that says with `Runtime.errorReported` that it was told already. A defect
 *   is told with its stack: it is a bug, and its place matters.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Runtime from "effect/Runtime"

/**
 * Runs an effect to its end, or a layer until a signal comes.
 *
 * @category running
 */
export const run = (main: Effect.Effect<unknown, unknown> | Layer.Layer<never, unknown>): void => {
  const signals = watchSignals()
  const program: Effect.Effect<unknown, unknown> = Effect.isEffect(main) ? main : Layer.launch(main)
  NodeRuntime.runMain(
    Pull.catchDone(program, () => Effect.void),
    {
      disableErrorReporting: true,
      teardown: (exit, onExit) => {
        signals.stop()
        const message = messageOf(exit)
        if (message !== undefined) process.stderr.write(`${message}\n`)
        onExit(exitCodeOf(exit, signals.received()))
      }
    }
  )
}

/** `runMain` interrupts at every signal; the second one is ours. */
const watchSignals = () => {
  let received = false
  const onSignal = (_signal: NodeJS.Signals, number: number) => {
    if (received) process.exit(128 + number)
    received = true
  }
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal)
  return {
    received: () => received,
    stop: () => process.off("SIGINT", onSignal).off("SIGTERM", onSignal)
  }
}

const exitCodeOf = (exit: Exit.Exit<unknown, unknown>, signalled: boolean): number => {
  if (exit._tag === "Success" || (signalled && Cause.hasInterruptsOnly(exit.cause))) return 0
  return Cause.hasInterruptsOnly(exit.cause) ? 130 : Runtime.getErrorExitCode(Cause.squash(exit.cause))
}

const messageOf = (exit: Exit.Exit<unknown, unknown>): string | undefined => {
  if (exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause)) return undefined
  const failure = Cause.findErrorOption(exit.cause)
  if (Option.isNone(failure)) return Cause.pretty(exit.cause)
  if (!Runtime.getErrorReported(failure.value)) return undefined
  if (failure.value instanceof Error) return failure.value.message
  return typeof failure.value === "string" ? failure.value : Formatter.format(failure.value)
}
