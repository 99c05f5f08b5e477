// Section memory: what workerd keeps after many short streams, and what it takes for callers who stop reading.
import { FLOOR, GATEWAY, PASS_THROUGH, PEER, withSubjects } from './cast.ts'
import { runLoad } from './run-load.ts'
import type { Stage } from './stage.ts'
import { STALLED_READERS, stallReaders } from './stalled-readers.ts'
import type { Subject } from './subjects.ts'

/** Resident memory of the subject's process, MiB. */
export interface MemoryRow {
  subject: string
  /** Per reader, at the most, in a process that is still small; the garbage of what had passed until then is in it. */
  stalledMib: number
  /** Once it has grown to its size. */
  settledMib: number
  /** Over the streams that follow, first half and second: what goes on growing is a leak. */
  firstHalfMib: number
  secondHalfMib: number
}

const IN_FLIGHT = 64
const BATCH = 500
/** For the code to be compiled and the connections to be open. */
const FIRST_STREAMS = 500

export function measureMemory(stage: Stage): Promise<MemoryRow[]> {
  return withSubjects(stage, [PASS_THROUGH, FLOOR, GATEWAY, PEER], async (subjects) => {
    const rows: MemoryRow[] = []
    for (const subject of subjects) rows.push(await measureOne(stage, subject))
    return rows
  })
}

async function measureOne(stage: Stage, subject: Subject): Promise<MemoryRow> {
  const { memoryStreams, memoryWarmUp, stallMs } = stage.effort
  const memoryMib = () => subject.cost().memoryMib
  const after = async (streams: number, what: string) => {
    for (let done = 0; done < streams; done += BATCH) await runStreams(stage, subject, `${what}, ${done} of ${streams}`)
    return memoryMib()
  }
  const smallMib = await after(FIRST_STREAMS, 'first streams')
  stage.progress.say(`memory: ${subject.name}, ${STALLED_READERS} readers that have stopped`)
  const mostMib = await stallReaders(subject, stallMs, memoryMib)
  const settledMib = await after(memoryWarmUp, 'warm-up')
  const halfwayMib = await after(memoryStreams / 2, 'first half')
  const endMib = await after(memoryStreams / 2, 'second half')
  return {
    subject: subject.name,
    stalledMib: (mostMib - smallMib) / STALLED_READERS,
    settledMib,
    firstHalfMib: halfwayMib - settledMib,
    secondHalfMib: endMib - halfwayMib,
  }
}

async function runStreams(stage: Stage, subject: Subject, which: string): Promise<void> {
  const load = { streaming: true, tokens: 16, inFlight: IN_FLIGHT, requests: BATCH, runMs: 60_000 }
  await runLoad(stage, subject, `memory: ${subject.name}, ${which}`, load)
}
