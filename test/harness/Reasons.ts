/** What an effect failed with, which must be of one kind. */
import { assert } from "@effect/vitest"
import type { CodecError } from "@sluice/core/codec/CodecError"
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

type Reasoned = CodecError | TransportError

/** The reason of the failure; anything else, `Cause.Done` too, fails the test. */
export const reasonOf = <A, E, R, Tag extends Reasoned["reason"]["_tag"]>(effect: Effect.Effect<A, E, R>, tag: Tag) =>
  Effect.map(Effect.flip(effect), (error) => {
    const { reason } = error as unknown as Reasoned
    assert.strictEqual(reason?._tag, tag, String(error))
    return reason as Extract<Reasoned["reason"], { readonly _tag: Tag }>
  })

/** The effect ends as a `Pull` does. */
export const isDone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => assert.isTrue(Cause.isDone(error), String(error)))
