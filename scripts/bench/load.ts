// Section load: how long a request takes, and how many a second, from one in flight to 64.
import { FLOOR, GATEWAY, PASS_THROUGH, PEER, UNGROUPED, withSubjects } from './cast.ts'
import { LEVELS, LEVELS_SHOWN, type Level } from './effort.ts'
import type { Section } from './options.ts'
import { interleave } from './rounds.ts'
import { type Run, runLoad } from './run-load.ts'
import type { Stage } from './stage.ts'
import { median, quantile } from './statistics.ts'
import type { Way } from './subjects.ts'

const LOAD_NAMES = [PASS_THROUGH, FLOOR, UNGROUPED, GATEWAY, PEER] as const
export const LOAD_TOKENS = 16

/** Each the median of its rounds. */
export interface LoadPoint {
  subject: string
  streaming: boolean
  inFlight: Level
  /** To the first byte of the answer's body, p50. */
  firstMs: number
  /** To its end, p50 and p99. */
  wholeMs: number
  p99Ms: number
  requestsPerSecond: number
  /** Per request. */
  cpuMs: number
}

/** Streams at every level; answers in one piece at those that are shown. */
export function measureLoad(stage: Stage): Promise<LoadPoint[]> {
  return withSubjects(stage, LOAD_NAMES, async (subjects) => {
    const points: LoadPoint[] = []
    for (const inFlight of LEVELS) points.push(...(await measureLevel(stage, 'load', subjects, true, inFlight)))
    for (const inFlight of LEVELS_SHOWN) points.push(...(await measureLevel(stage, 'load', subjects, false, inFlight)))
    return points
  })
}

/** Those of one section beside each other, with as many in flight. */
export async function measureLevel(
  stage: Stage,
  section: Section,
  ways: readonly Way[],
  streaming: boolean,
  inFlight: Level,
): Promise<LoadPoint[]> {
  const { rounds, requests, runMs } = stage.effort
  const kind = streaming ? 'streams' : 'answers in one piece'
  const results = await interleave(ways, rounds, (way, round) =>
    runLoad(stage, way, `${section}, ${round}: ${way.name}, ${kind}, ${inFlight} in flight`, {
      streaming,
      tokens: LOAD_TOKENS,
      withoutUsage: way.withoutUsage ?? false,
      inFlight,
      requests: requests[inFlight],
      runMs,
    }),
  )
  return results.map(({ subject, runs }) => {
    const over = (of: (run: Run) => number) => median(runs.map(of))
    return {
      subject: subject.name,
      streaming,
      inFlight,
      firstMs: over((run) => median(run.firstMs)),
      wholeMs: over((run) => median(run.totalMs)),
      p99Ms: over((run) => quantile(run.totalMs, 0.99)),
      requestsPerSecond: over((run) => (run.totalMs.length / run.wallMs) * 1000),
      cpuMs: over((run) => run.cpuMs / run.totalMs.length),
    }
  })
}
