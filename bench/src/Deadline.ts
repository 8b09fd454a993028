/**
 * A promise with a deadline: a benchmark waits for nothing without one.
 */

/** Settles as `promise` does, or fails with "`what` took longer than …". */
export const within = <A>(promise: Promise<A>, millis: number, what: string): Promise<A> => {
  const { promise: expired, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`${what} took longer than ${millis} ms`)), millis)
  return Promise.race([promise, expired]).finally(() => clearTimeout(timer))
}

/** Resolves after `millis`. */
export const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))
