// What can happen in a schedule. Each step stands for itself: without one of them the others still mean something, so that a failure can shrink.

import type { BudgetPeriod } from '../../worker/schema.ts'
import type { CacheWrite } from '../../worker/vendors/vendor-request.ts'

/**
 * What becomes of a D1 call. `late` and `hangs` are carried out at some later moment, if at all: the one is said to have failed, of the other
 * nothing is heard.
 */
export const FATES = ['passes', 'busy', 'overloaded', 'fails', 'reply lost', 'reply hangs', 'late', 'hangs'] as const
export type Fate = (typeof FATES)[number]

export interface Limits {
  budgetNano: number | null
  period: BudgetPeriod
}

export interface MinuteLimits {
  rpm: number | null
  tpm: number | null
  concurrency: number | null
}

/** Prepaid or not, and what they had paid by then. */
export interface Paying {
  prepaid: boolean
  paidNano: number
}

/** The columns of a price row. */
export type PriceRow = Record<string, number | string | null>

/** How much of what a request may use it has used, in thousandths of its bounds. */
export interface Share {
  input: number
  /** Of the input. */
  cached: number
  written: number
  writtenLong: number
  output: number
  gpuMs: number
}

export interface AskStep {
  do: 'ask'
  gateway: number
  key: number
  model: number
  input: number
  output: number | null
  least: number
  runs: number
  rereads: boolean
  cacheWrite: CacheWrite
  leaseMs: number
  /** How much older its id is than its arrival at the ledger. */
  idLagMs: number
}

/** `which`, `key`, `gateway` and their like are taken modulo what there is. */
export type Step =
  | AskStep
  | { do: 'ask again'; which: number }
  | { do: 'answer'; which: number; fate: Fate }
  | { do: 'answer all'; most: number }
  | { do: 'checkpoint'; which: number; share: Share; leaseMs: number }
  | { do: 'end'; which: number; outcome: 'completed' | 'abandoned' | 'failed'; free: boolean; share: Share }
  | { do: 'die'; gateway: number }
  | { do: 'sweep'; gateway: number }
  | { do: 'wait'; ms: number }
  | { do: 'wait for'; edge: BudgetPeriod; offsetMs: number }
  | { do: 'database clock'; lagMs: number }
  | { do: 'price'; model: number; row: PriceRow }
  | { do: 'customer budget'; customer: number; limits: Limits }
  | { do: 'customer limits'; customer: number; limits: MinuteLimits }
  | { do: 'customer status'; customer: number; status: 'active' | 'suspended' }
  | { do: 'key budget'; key: number; limits: Limits }
  | { do: 'key revoked'; key: number }
  | { do: 'new key'; customer: number; limits: Limits }
  | MoneyStep

/** What moves money, or says that it has to be there before. */
export type MoneyStep =
  | { do: 'customer prepaid'; customer: number; prepaid: boolean }
  /** Stripe tells of money that came in, or below zero went back; each of a few references is one payment. */
  | { do: 'pay'; gateway: number; customer: number; nano: number; reference: number }
  /** Stripe tells of an earlier one again: by the same event, or by another that is about the same money. */
  | { do: 'redeliver'; gateway: number; which: number; sameEvent: boolean }
  /** By the same references: money that Stripe tells of, too. */
  | { do: 'pay by hand'; customer: number; nano: number; reference: number }
  | { do: 'adjust'; customer: number; nano: number }
  /** Last month is closed, if nothing of it is in flight. */
  | { do: 'invoice'; customer: number }
  /** `part`: thousandths of what it was charged; null: all of it. */
  | { do: 'refund'; which: number; part: number | null }

/** Where a schedule begins. */
export interface Beginning {
  startMs: number
  gateways: number
  groupMax: number
  customers: (Limits & MinuteLimits & Paying & { keys: Limits[] })[]
  prices: PriceRow[]
}

export interface Schedule {
  seed: number
  beginning: Beginning
  steps: Step[]
}

/** The models of every schedule, and whose they are. */
export const MODELS = [
  { name: 'm', canonical: 'm:latest', upstream: 'ollama' },
  { name: 'gpt', canonical: 'gpt:latest', upstream: 'openai' },
  { name: 'claude', canonical: 'claude:latest', upstream: 'anthropic' },
] as const
