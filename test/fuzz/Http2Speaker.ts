/**
 * Says a body piece by piece, and resets where the plan says so: the same for
 * our engine and for `node:http2`.
 *
 * @since 0.1.0
 */
import type * as Http2Plan from "./Http2Plan.ts"
import type { Seen } from "./Http2Seen.ts"

/** One stream of one end. */
export interface Mouth {
  write(piece: Buffer): void
  end(trailers: Http2Plan.Lines | undefined): void
  reset(code: number): void
  /** Whether nothing can be said any more. */
  isOver(): boolean
  /** Calls `next` once there is room for more. */
  whenWritable(next: () => void): void
}

/** Says each piece in its time, then the end. */
export const speak = (content: Http2Plan.Content, seen: Seen, mouth: Mouth, check: () => void): void => {
  const next = (index: number): void => {
    if (mouth.isOver()) return
    const piece = content.pieces[index]
    if (piece === undefined) {
      mouth.end(content.trailers)
      return
    }
    mouth.write(piece)
    seen.sentBytes += piece.length
    check()
    if (content.pace === "at once") next(index + 1)
    else mouth.whenWritable(() => next(index + 1))
  }
  next(0)
}

/** Resets the stream once this end has come as far as the plan says. */
export const resetter = (
  plan: Http2Plan.Exchange,
  role: "client" | "server",
  seen: Seen,
  mouth: Mouth
): (() => void) => {
  const { reset } = plan
  if (reset?.by !== role) return () => {}
  return () => {
    if (mouth.isOver()) return
    const { at } = reset
    const isDue = at === "head" || ("sent" in at ? seen.sentBytes >= at.sent : seen.receivedBytes >= at.received)
    if (isDue) mouth.reset(reset.code)
  }
}
