// Section paced: how much later a token arrives because of what stands between, at the pace of a model, once all streams run.
import { setTimeout as sleep } from 'node:timers/promises'
import { DIRECT, FLOOR, GATEWAY, PASS_THROUGH, PEER, UNGROUPED, withSubjects } from './cast.ts'
import type { Section } from './options.ts'
import { interleave } from './rounds.ts'
import { runLoad } from './run-load.ts'
import type { Stage } from './stage.ts'
import { median, quantile } from './statistics.ts'
import { directSubject, type Way } from './subjects.ts'

export const USAGE_TAKEN_OUT = 'gateway, usage taken out'
export const PACED_STREAMS = 32
const EVERY_MS = 20

/** Each the median of its rounds. */
export interface PacedRow {
  subject: string
  /** From the host's writing a token to the caller's reading it. */
  p50Ms: number
  p90Ms: number
  p99Ms: number
  /** p99 − p50. */
  jitterMs: number
  /** p50 less that of callers who ask the host directly. */
  addedMs: number
  /** Of the subject's process. */
  cpuMsPer1000Tokens: number
}

interface PacedRun {
  tokenMs: number[]
  cpuMsPer1000Tokens: number
}

export function measurePaced(stage: Stage): Promise<PacedRow[]> {
  return withSubjects(stage, [PASS_THROUGH, FLOOR, UNGROUPED, GATEWAY, PEER], async (subjects) => {
    const ways: Way[] = [directSubject(DIRECT, stage.host.origin), ...subjects]
    // Where the caller does not ask for usage, the gateway does, and reads and cuts each frame in JavaScript to take it out again.
    ways.push(...ways.filter(({ name }) => name === GATEWAY).map((gateway) => ({ ...gateway, name: USAGE_TAKEN_OUT, withoutUsage: true })))
    return measurePacedWays(stage, 'paced', ways)
  })
}

/** Those of one section beside each other; DIRECT has to be among them. */
export async function measurePacedWays(stage: Stage, section: Section, ways: Way[]): Promise<PacedRow[]> {
  const results = await interleave(ways, stage.effort.rounds, (way, round) => runPaced(stage, way, `${section}, ${round}`))
  const over = (runs: PacedRun[], of: (run: PacedRun) => number) => median(runs.map(of))
  const directMs = over(results.find(({ subject }) => subject.name === DIRECT)?.runs ?? [], (run) => median(run.tokenMs))
  return results.map(({ subject, runs }) => {
    const p50Ms = over(runs, (run) => median(run.tokenMs))
    return {
      subject: subject.name,
      p50Ms,
      p90Ms: over(runs, (run) => quantile(run.tokenMs, 0.9)),
      p99Ms: over(runs, (run) => quantile(run.tokenMs, 0.99)),
      jitterMs: over(runs, (run) => quantile(run.tokenMs, 0.99) - median(run.tokenMs)),
      addedMs: p50Ms - directMs,
      cpuMsPer1000Tokens: over(runs, (run) => run.cpuMsPer1000Tokens),
    }
  })
}

/** Timed from a quarter of its time on, and its cost taken from there to three quarters: no request is admitted or settled meanwhile. */
async function runPaced(stage: Stage, way: Way, when: string): Promise<PacedRun> {
  const tokens = stage.effort.pacedTokens
  const quarterMs = (tokens * EVERY_MS) / 4
  const running = runLoad(stage, way, `${when}: ${way.name}, ${PACED_STREAMS} streams`, {
    streaming: true,
    tokens,
    everyMs: EVERY_MS,
    withoutUsage: way.withoutUsage ?? false,
    inFlight: PACED_STREAMS,
    requests: PACED_STREAMS,
    runMs: quarterMs,
    untimedMs: quarterMs,
  })
  await sleep(quarterMs)
  const before = way.cost()
  await sleep(2 * quarterMs)
  const cpuMs = way.cost().cpuMs - before.cpuMs
  const { tokenMs } = await running
  return { tokenMs, cpuMsPer1000Tokens: (cpuMs / ((tokens / 2) * PACED_STREAMS)) * 1000 }
}
