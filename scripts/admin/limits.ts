// Budget and limits, which customers and keys have alike: options in, columns of the database, and what is shown of them.
import { Option } from 'commander'
import { BUDGET_PERIODS, type BudgetPeriod } from '../../worker/schema.ts'
import { budget, count, countOrNone } from './arguments.ts'
import { usdOrNull } from './table.ts'

const RPM_MAX = 1_000_000
const TPM_MAX = 1_000_000_000
const CONCURRENCY_MAX = 100_000

/** What the options give; `Cleared` is 'none' where limits can be taken away. */
export interface LimitOptions<Cleared = never> {
  budget?: number
  period?: BudgetPeriod
  rpm?: number | Cleared
  tpm?: number | Cleared
  concurrency?: number | Cleared
}

export function budgetOption(description: string): Option {
  return new Option('--budget <usd>', description).argParser(budget)
}

export function periodOption(description: string): Option {
  return new Option('--period <period>', description).choices(BUDGET_PERIODS)
}

/** --rpm, --tpm and --concurrency; where they `change` something, "none" clears them. */
export function limitOptions({ change }: { change: boolean }): Option[] {
  const read = change ? countOrNone : count
  const none = change ? ', or none' : ''
  return [
    new Option('--rpm <n>', `requests per minute${none}`).argParser(read(1, RPM_MAX)),
    new Option('--tpm <n>', `tokens per minute${none}`).argParser(read(1, TPM_MAX)),
    new Option('--concurrency <n>', `requests at a time${none}`).argParser(read(1, CONCURRENCY_MAX)),
  ]
}

export interface Limits {
  budgetNano: number | null
  budgetPeriod: BudgetPeriod
  rpm: number | null
  tpm: number | null
  concurrency: number | null
}

export function limitsJson(limits: Limits) {
  return {
    budget_usd: usdOrNull(limits.budgetNano),
    period: limits.budgetPeriod,
    rpm: limits.rpm,
    tpm: limits.tpm,
    concurrency: limits.concurrency,
  }
}

/** 60 rpm, 4 at a time. */
export function limitsText({ rpm, tpm, concurrency }: Limits): string {
  const parts = [
    rpm === null ? null : `${rpm} rpm`,
    tpm === null ? null : `${tpm} tpm`,
    concurrency === null ? null : `${concurrency} at a time`,
  ]
  return parts.filter((part) => part !== null).join(', ') || '-'
}
