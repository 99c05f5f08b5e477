// How much is measured: enough to tell a tenth apart, or just enough to see that everything runs.

/** How many requests are in flight, from one caller to more than the machine has processors for. */
export const LEVELS = [1, 2, 4, 8, 16, 32, 64] as const
export type Level = (typeof LEVELS)[number]

/** Those that the tables show, and that answers in one piece are measured at. */
export const LEVELS_SHOWN: readonly Level[] = [1, 8, 64]

export interface Effort {
  rounds: number
  /** How many requests a run has, by how many are in flight. */
  requests: Record<Level, number>
  /** No request of a run begins later than this. */
  runMs: number
  /** Each stream's; they come 20 ms apart. */
  pacedTokens: number
  /** Short streams that memory is watched over. */
  memoryStreams: number
  /** How many go before them: until 25,000 or so workerd grows because it collects its garbage rarely, the bare pass-through, too. */
  memoryWarmUp: number
  /** How long readers that have stopped reading are watched. */
  stallMs: number
  /** How many usage rows the ledger with many has; the other has 100. */
  manyRows: number
  /** How many usage rows there are behind the reports that are timed. */
  reportRows: number[]
  starts: number
}

const REQUESTS = { 1: 200, 2: 400, 4: 600, 8: 800, 16: 1200, 32: 1600, 64: 2000 }
const QUARTER = { 1: 50, 2: 100, 4: 150, 8: 200, 16: 300, 32: 400, 64: 500 }

export function effortOf({ quick, rounds }: { quick: boolean; rounds: number }): Effort {
  return quick
    ? {
        rounds,
        requests: QUARTER,
        runMs: 1000,
        pacedTokens: 50,
        memoryStreams: 2000,
        memoryWarmUp: 500,
        stallMs: 2000,
        manyRows: 10_000,
        reportRows: [100, 1000, 10_000],
        starts: 2,
      }
    : {
        rounds,
        requests: REQUESTS,
        runMs: 4000,
        pacedTokens: 200,
        memoryStreams: 10_000,
        memoryWarmUp: 25_000,
        stallMs: 5000,
        manyRows: 1_000_000,
        reportRows: [10_000, 100_000, 1_000_000],
        starts: 5,
      }
}
