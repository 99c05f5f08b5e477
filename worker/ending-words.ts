// How a request's ending is charged, in words: the rules of README ("What a request costs") and docs/paid-models.md, for one row.
import type { Outcome, Upstream } from './schema.ts'

export interface EndingFacts {
  outcome: Outcome
  upstream: Upstream
  /** Some count is not the upstream's own. */
  estimated: boolean
  /** Nothing was counted, and nothing charged. */
  nothing: boolean
}

/** The rule that the ending fell under. */
export function endingRule({ outcome, upstream, nothing }: EndingFacts): string {
  const whose = upstream === 'ollama' ? "the host's" : "the vendor's"
  switch (outcome) {
    case 'completed':
      return nothing ? 'It ended without an answer, so nothing is charged.' : `The answer is whole: ${whose} counts are charged.`
    case 'abandoned':
      if (nothing) return 'The caller left before anything was delivered, or anyone asked: nothing is charged.'
      return upstream === 'ollama'
        ? 'The caller left, or read too slowly: the fixed prices, an estimate of the output that was delivered, and the input at its bound are charged.'
        : 'The caller left: the answer was read on for its counts; without them the input, and the greater of what was delivered and what may have been thought meanwhile, are charged.'
    case 'failed':
      if (nothing)
        return 'It failed, or the operator ended it, before anything was delivered, or it was to come in one piece: nothing is charged.'
      return upstream === 'ollama'
        ? 'The host failed, or the operator ended it, after something was delivered: the fixed prices, an estimate of the output that was delivered, and the input at its bound are charged.'
        : 'The vendor failed, or the operator ended it, after something was delivered: the input, and what was delivered, are charged.'
    case 'expired':
      return nothing
        ? 'Nobody ended it, as when the gateway itself dies, and nothing had been written down of it: nothing is charged.'
        : 'Nobody ended it, as when the gateway itself dies: what had been written down while it ran is charged.'
  }
}

/** Why its counts are an estimate; null where they are not. */
export function estimateReason({ outcome, upstream, estimated }: EndingFacts): string | null {
  if (!estimated) return null
  switch (outcome) {
    case 'completed':
      return upstream === 'ollama'
        ? 'The host left out a count, or ran the model twice and counted one run: an estimate stands for it.'
        : 'The vendor left out a count, or gave one that cannot be: a bound or an estimate stands for it.'
    case 'expired':
      return 'The counts are those of the last checkpoint.'
    default:
      return `A call that is cut gives no last count: bounds and estimates stand for ${upstream === 'ollama' ? "the host's" : "the vendor's"}.`
  }
}
