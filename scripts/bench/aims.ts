// What was aimed at, and whether this run reached it.
import { FLOOR, GATEWAY, PASS_THROUGH } from './cast.ts'
import { LEVELS_SHOWN, type Level } from './effort.ts'
import type { LoadPoint } from './load.ts'
import { LOCAL, PAID } from './paid.ts'
import { addedFirstMs } from './paid-tables.ts'
import type { Results } from './results.ts'
import { STALLED_BYTES } from './stalled-readers.ts'
import { figure, times } from './statistics.ts'

export interface Aim {
  aim: string
  /** What was found. */
  figure: string
  reached: boolean
}

/** What shows that it is bounded: 4 MiB may wait for a caller (STREAM_BUFFER_BYTES), and what went into the kernel's buffers was read in pieces that are garbage now. */
const STALLED_SHARE_MOST = 0.25
const BUNDLE_BYTES_MOST = 100 * 1024

/** One entry each, of those whose section was measured. */
export function aimsOf(results: Results): Aim[] {
  return [...loadAims(results), ...pacedAims(results), ...paidAims(results), ...otherAims(results)]
}

function loadAims({ load }: Results): Aim[] {
  if (load === null) return []
  const aims: Aim[] = []
  for (const inFlight of LEVELS_SHOWN) {
    const { gateway, floor } = pair(load, inFlight)
    aims.push(atMost(`first token, ${inFlight} in flight, at most 1.15 × the floor's`, gateway.firstMs, floor.firstMs, 1.15))
  }
  for (const inFlight of LEVELS_SHOWN) {
    const { gateway, floor } = pair(load, inFlight)
    const name = `requests a second, ${inFlight} in flight, the floor's at most 1.15 × the gateway's`
    aims.push(atMost(name, floor.requestsPerSecond, gateway.requestsPerSecond, 1.15))
  }
  const { gateway, floor } = pair(load, 64)
  aims.push({
    aim: "requests a second, 64 in flight, at least 2 × the floor's",
    figure: times(gateway.requestsPerSecond, floor.requestsPerSecond),
    reached: gateway.requestsPerSecond >= 2 * floor.requestsPerSecond,
  })
  return aims
}

function pacedAims({ paced }: Results): Aim[] {
  const added = (name: string) => paced?.find(({ subject }) => subject === name)?.addedMs ?? Number.NaN
  return paced === null ? [] : [atMost("added time per token at most 1.1 × the pass-through's", added(GATEWAY), added(PASS_THROUGH), 1.1)]
}

/** A paid stream costs no more than a local one. */
function paidAims({ paid }: Results): Aim[] {
  if (paid === null) return []
  const { load, paced } = paid
  const cpuMs = (name: string, inFlight: Level) =>
    load.find((point) => point.subject === name && point.inFlight === inFlight)?.cpuMs ?? Number.NaN
  const added = (name: string) => paced.find(({ subject }) => subject === name)?.addedMs ?? Number.NaN
  const first = LEVELS_SHOWN.map((inFlight) => {
    const name = `a paid stream's added first token, ${inFlight} in flight, at most 1.1 × a local one's`
    return atMost(name, addedFirstMs(load, PAID, inFlight), addedFirstMs(load, LOCAL, inFlight), 1.1)
  })
  return [
    ...first,
    atMost("a paid stream's processor time, 64 in flight, at most 1.1 × a local one's", cpuMs(PAID, 64), cpuMs(LOCAL, 64), 1.1),
    atMost("a paid stream's added time per token at most 1.1 × a local one's", added(PAID), added(LOCAL), 1.1),
  ]
}

function otherAims({ size, scale, memory }: Results): Aim[] {
  const aims: Aim[] = []
  if (scale !== null) {
    const [few, many] = scale
    const name = `first token with ${many?.usageRows.toLocaleString('en-US')} usage rows at most 1.1 × that with ${few?.usageRows}`
    aims.push(atMost(name, many?.firstMs ?? Number.NaN, few?.firstMs ?? Number.NaN, 1.1))
  }
  if (memory !== null) {
    const mib = memory.find(({ subject }) => subject === GATEWAY)?.stalledMib ?? Number.NaN
    const answerMib = STALLED_BYTES / 2 ** 20
    aims.push({
      aim: `a reader who stops costs at most a quarter of an answer of ${figure(answerMib)} MiB`,
      figure: `${figure(mib)} MiB`,
      reached: mib <= answerMib * STALLED_SHARE_MOST,
    })
  }
  if (size !== null) {
    const kib = figure(size.gzipBytes / 1024)
    aims.push({ aim: 'the bundle at most 100 KiB, compressed', figure: `${kib} KiB`, reached: size.gzipBytes <= BUNDLE_BYTES_MOST })
  }
  return aims
}

/** Not reached where something was not measured. */
function atMost(aim: string, value: number, of: number, limit: number): Aim {
  return { aim, figure: times(value, of), reached: value / of <= limit }
}

function pair(load: LoadPoint[], inFlight: Level): { gateway: LoadPoint; floor: LoadPoint } {
  const find = (name: string) => {
    const point = load.find(({ subject, streaming, inFlight: n }) => streaming && subject === name && n === inFlight)
    if (point === undefined) throw new Error(`no load of ${name} with ${inFlight} in flight`)
    return point
  }
  return { gateway: find(GATEWAY), floor: find(FLOOR) }
}
