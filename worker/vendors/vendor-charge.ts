// What a request to a vendor is charged for, however it ended: the vendor's own counts where they can be true, else bounds and estimates.
import { UNUSED, type Used } from '../pricing.ts'
import type { Outcome } from '../schema.ts'
import type { Seen } from '../seen.ts'
import type { CacheWrite } from './vendor-request.ts'

/** A model that thinks unseen writes about so many tokens a second. */
const HIDDEN_TOKENS_PER_SECOND = 200
/** How far a first count of the input was seen to be below the last one (43 and 61), with room. */
const FIRST_COUNT_SLACK_TOKENS = 256

export interface VendorBounds {
  /** The most input tokens that the request can be. */
  inputBound: number
  /** The most output tokens, of all answers. */
  outputMost: number
  cacheWrite: CacheWrite
}

interface VendorCharge {
  used: Used
  /** Some count is not the vendor's own. */
  estimated: boolean
}

/**
 * `begun`: the first token was delivered. Null: nothing is charged.
 *
 * A vendor bills for what it made, delivered or not, so an abandoned request is charged for its input, and for what may have been thought
 * unseen meanwhile. Of one that failed by the vendor's fault only what was delivered is. A count that is no count, or more than can be, is not
 * believed: the bound stands for it.
 */
export function vendorCharge(
  outcome: Exclude<Outcome, 'expired'>,
  seen: Seen,
  bounds: VendorBounds,
  { begun, elapsedMs }: { begun: boolean; elapsedMs: number },
): VendorCharge | null {
  if (outcome === 'failed' && !begun) return null
  const counted = isFinal(seen) && seen.input !== null && seen.output !== null
  const wanted = counted ? reportedInput(seen, bounds) : estimatedInput(seen, bounds)
  const input = Math.min(wanted.input, bounds.inputBound)
  const cached = Math.min(wanted.cached, input)
  const cacheWrite = Math.min(wanted.cacheWrite, input - cached)
  const cacheWriteLong = Math.min(wanted.cacheWriteLong, input - cached - cacheWrite)
  const hidden = outcome === 'failed' ? 0 : Math.ceil(elapsedMs / 1000) * HIDDEN_TOKENS_PER_SECOND
  const wantedOutput = counted ? (seen.output ?? 0) : Math.max(seen.estimate, seen.output ?? 0, hidden)
  const output = Math.min(wantedOutput, bounds.outputMost)
  const believed = counted && wanted.input <= bounds.inputBound && wantedOutput <= bounds.outputMost
  return {
    used: { ...UNUSED, input, cached, cacheWrite, cacheWriteLong, output, reasoning: Math.min(seen.reasoning, output) },
    estimated: !believed,
  }
}

/** Zero for an answer that has text is no count. */
function isFinal(seen: Seen): boolean {
  return !seen.provisional && !seen.faulty && !(seen.output === 0 && seen.estimate > 0)
}

type Input = Pick<Used, 'input' | 'cached' | 'cacheWrite' | 'cacheWriteLong'>

/** Where the vendor does not say for how long tokens were written, they are written for as long as was asked for. */
function reportedInput(seen: Seen, { cacheWrite }: VendorBounds): Input {
  const long = seen.cacheWriteLong ?? (cacheWrite === 'long' ? seen.cacheWrite : 0)
  return { input: seen.input ?? 0, cached: seen.cached, cacheWrite: seen.cacheWrite - long, cacheWriteLong: long }
}

/**
 * A first count is all but the last one. Without any, the bound: bytes, of which a token has more than one, so that a price of a cache write for
 * minutes (1.25 times the input's) is covered by it, but not one for hours (2 to 2.5 times).
 */
function estimatedInput(seen: Seen, bounds: VendorBounds): Input {
  if (seen.input !== null && !seen.faulty) {
    const reported = reportedInput(seen, bounds)
    return { ...reported, input: reported.input + FIRST_COUNT_SLACK_TOKENS }
  }
  const long = bounds.cacheWrite === 'long' ? bounds.inputBound : 0
  return { input: bounds.inputBound, cached: 0, cacheWrite: 0, cacheWriteLong: long }
}
