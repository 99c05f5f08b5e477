// Test support: results with a figure in every place.
import { DIRECT, FLOOR, GATEWAY, PASS_THROUGH, UNGROUPED } from './cast.ts'
import { effortOf, LEVELS, LEVELS_SHOWN, type Level } from './effort.ts'
import type { LoadPoint } from './load.ts'
import { type PacedRow, USAGE_TAKEN_OUT } from './paced.ts'
import { LOCAL, LOCAL_ALONE, LOCAL_TAKEN_OUT, PAID, PAID_TAKEN_OUT } from './paid.ts'
import type { Results } from './results.ts'

/** How many times the pass-through's each subject's figures are. */
const FACTORS = { [PASS_THROUGH]: 1, [FLOOR]: 4, [UNGROUPED]: 8, [GATEWAY]: 5 }

/** The pass-through: 1 ms and 1,000 requests a second with one in flight, and one in flight more is 1 ms more. */
/** How many times the direct callers' first token each way takes. */
const PAID_FACTORS = { [DIRECT]: 1, [LOCAL_ALONE]: 5, [LOCAL]: 5, [PAID]: 6, [LOCAL_TAKEN_OUT]: 9, [PAID_TAKEN_OUT]: 9 }

export function exampleResults(): Results {
  return {
    date: '2026-11-24',
    command: 'npm run bench',
    machine: { cores: 2, cpu: 'Example CPU | 3 GHz', memoryGib: 8, node: '24.0.0', workerd: '1.2' },
    effort: effortOf({ quick: false, rounds: 5 }),
    load: [...exampleLoad(FACTORS, true, LEVELS), ...exampleLoad(FACTORS, false, LEVELS_SHOWN)],
    paced: examplePaced(),
    paid: { load: exampleLoad(PAID_FACTORS, true, LEVELS_SHOWN), paced: examplePaidPaced() },
    memory: [PASS_THROUGH, GATEWAY].map((subject) => ({ subject, stalledMib: 1, settledMib: 300, firstHalfMib: 3, secondHalfMib: 0 })),
    scale: [
      { usageRows: 100, firstMs: 4, cpuMs: 3 },
      { usageRows: 1_000_000, firstMs: 4.2, cpuMs: 3 },
    ],
    reports: [10_000, 100_000, 1_000_000].map((usageRows) => ({ usageRows, reportMs: 9, scanMs: usageRows / 1000 })),
    rows: [{ requestsAtOnce: 1, calls: 2, rowsRead: 54, rowsWritten: 5 }],
    size: { bytes: 307_200, gzipBytes: 92_160 },
    start: [PASS_THROUGH, GATEWAY].map((subject, index) => ({ subject, ms: 150 + 150 * index })),
    failures: [],
  }
}

function exampleLoad(factors: Record<string, number>, streaming: boolean, levels: readonly Level[]): LoadPoint[] {
  return levels.flatMap((inFlight) =>
    Object.entries(factors).map(([subject, factor]) => {
      const ms = factor * inFlight
      return { subject, streaming, inFlight, firstMs: ms, wholeMs: 2 * ms, p99Ms: 3 * ms, requestsPerSecond: 1000 / factor, cpuMs: factor }
    }),
  )
}

function examplePaced(): PacedRow[] {
  return [
    pacedRow(DIRECT, 0, Number.NaN),
    pacedRow(PASS_THROUGH, 0.2, 40),
    pacedRow(FLOOR, 0.3, 50),
    pacedRow(UNGROUPED, 0.5, 70),
    pacedRow(GATEWAY, 0.5, 70),
    pacedRow(USAGE_TAKEN_OUT, 0.9, 90),
  ]
}

function examplePaidPaced(): PacedRow[] {
  return [
    pacedRow(DIRECT, 0, Number.NaN),
    pacedRow(LOCAL_ALONE, 0.5, 70),
    pacedRow(LOCAL, 0.5, 70),
    pacedRow(PAID, 0.5, 80),
    pacedRow(LOCAL_TAKEN_OUT, 0.8, 90),
    pacedRow(PAID_TAKEN_OUT, 1, 90),
  ]
}

function pacedRow(subject: string, addedMs: number, cpuMsPer1000Tokens: number): PacedRow {
  return {
    subject,
    p50Ms: 0.1 + addedMs,
    p90Ms: 0.2 + addedMs,
    p99Ms: 0.5 + addedMs,
    jitterMs: 0.4,
    addedMs,
    cpuMsPer1000Tokens,
  }
}
