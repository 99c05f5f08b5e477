// What a vendor says was used and charged: one shape for both of them.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import type { Place } from './vendor-json.ts'

/** Tokens by what they cost; no token is in two of them. */
export const KINDS = ['input', 'cached', 'write', 'writeLong', 'output'] as const
export type Kind = (typeof KINDS)[number]
export type Tokens = Record<Kind, number>

export interface VendorUsage {
  /** Whole days since 1970, UTC. */
  day: number
  model: string
  /** Null: this export does not count them. */
  requests: number | null
  tokens: Tokens
}

export interface VendorCharge {
  day: number
  /** Null: for no model, or the export does not say. */
  model: string | null
  item: string
  nano: bigint
}

export type What = 'usage' | 'charges'

/** What has been read so far. */
export class VendorExport {
  readonly usage: VendorUsage[] = []
  readonly charges: VendorCharge[] = []
  /** Days that were asked for, whether or not there was anything. */
  readonly days = { usage: new Set<number>(), charges: new Set<number>() }
  /** Of the web, by the vendor's own tool. */
  readonly searches: { day: number; count: number }[] = []
  readonly #claimed = new Map<string, Place>()
  readonly #forms = new Map<What, string>()

  /** Two pages with the same bucket would count it twice. Throws Failure. */
  claim(what: string, place: Place): void {
    const before = this.#claimed.get(what)
    if (before !== undefined) place.fail(`is the same as ${before.path} of ${before.file}: give each page once.`)
    this.#claimed.set(what, place)
  }

  /** One vendor has two forms of the same; both together would count everything twice. Throws Failure. */
  only(form: string, what: What, place: Place): void {
    const before = this.#forms.get(what) ?? form
    this.#forms.set(what, before)
    if (before !== form) place.fail(`is of the vendor's ${form}, and what came before of its ${before}: give one of them.`)
  }

  /** @param what null: the page is empty, and does not say of what */
  cover(what: What | null, day: number): void {
    for (const each of what === null ? (['usage', 'charges'] as const) : [what]) this.days[each].add(day)
  }
}

/** The UTC day of a bucket. Throws Failure where it is not exactly that. */
export function dayOf(bucket: Place, startMs: number, endMs: number): number {
  if (startMs % DAY_MS === 0 && endMs - startMs === DAY_MS) return startMs / DAY_MS
  return bucket.fail('is not one whole UTC day: fetch it again with buckets of 1d, from and to 00:00 UTC.')
}

/** Null where nothing was used, so that no model is needed. Throws Failure. */
export function modelOf(result: Place, name: string, tokens: Tokens, remedy: string): string | null {
  if (result.has(name)) return result.at(name).text()
  if (KINDS.every((kind) => tokens[kind] === 0)) return null
  return result.at(name).fail(`the result is not grouped by model: fetch it again with ${remedy}.`)
}
