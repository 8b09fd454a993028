/**
 * Stops attempts beyond the first while too many calls of a channel fail
 * (gRPC proposal A6, "Throttling Retry Attempts and Hedged RPCs").
 *
 * ```text
 *  0 ─────────── maxTokens / 2 ─────────── maxTokens     it begins at maxTokens
 *   no further attempts    │    as the policies say
 * ```
 *
 * A failure takes one token, a success brings `tokenRatio`. So in the long run
 * there are about `tokenRatio` further attempts for each call that goes well.
 *
 * Tokens are counted in thousandths, so that sums are exact.
 *
 * @since 0.1.0
 */

/** @category options */
export interface Options {
  /** Tokens at most, and at the beginning. A whole number from 1 to 1000. */
  readonly maxTokens: number
  /** Tokens for a call that went well. From 0.001; three decimals count, and the others are cut off. */
  readonly tokenRatio: number
}

/** What is wrong with them: the option, and what it must be. @category checking */
export const problem = (options: Options): readonly [option: keyof Options, expected: string] | undefined => {
  const { maxTokens, tokenRatio } = options
  if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens > 1000) {
    return ["maxTokens", "a whole number from 1 to 1000"]
  }
  if (!Number.isFinite(tokenRatio) || thousandths(tokenRatio) < 1) return ["tokenRatio", "a number from 0.001"]
  return undefined
}

/** @category models */
export class GrpcThrottle {
  /** 0 <= tokenMillis <= maxMillis; thousandths of a token. */
  private tokenMillis: number
  private readonly maxMillis: number
  private readonly ratioMillis: number

  /** Options that are wrong are a `RangeError`. */
  constructor(options: Options) {
    const wrong = problem(options)
    if (wrong !== undefined) throw new RangeError(`throttling.${wrong[0]} must be ${wrong[1]}`)
    this.maxMillis = options.maxTokens * 1000
    this.tokenMillis = this.maxMillis
    this.ratioMillis = thousandths(options.tokenRatio)
  }

  /** Whether further attempts may be made. */
  get isOpen(): boolean {
    return this.tokenMillis * 2 > this.maxMillis
  }

  get tokens(): number {
    return this.tokenMillis / 1000
  }

  succeeded(): void {
    this.tokenMillis = Math.min(this.maxMillis, this.tokenMillis + this.ratioMillis)
  }

  /** Only for failures that a policy would try again, or that say not to. */
  failed(): void {
    this.tokenMillis = Math.max(0, this.tokenMillis - 1000)
  }
}

/** 1.001 * 1000 is a little less than 1001: what is lost so is given back before the cut. */
const thousandths = (ratio: number): number => Math.floor(ratio * 1000 + 1e-6)
