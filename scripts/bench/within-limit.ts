// How many requests a second a subject takes while 99 of 100 end in time: the ladder of load, read another way.
import type { LoadPoint } from './load.ts'

export const LIMITS_MS = [10, 50] as const

/** The streaming point with the highest throughput whose p99 keeps the limit; null: none does. */
export function bestWithin(points: readonly LoadPoint[], subject: string, limitMs: number): LoadPoint | null {
  const kept = points.filter((point) => point.subject === subject && point.streaming && point.p99Ms <= limitMs)
  return kept.reduce<LoadPoint | null>((best, point) => (best && best.requestsPerSecond >= point.requestsPerSecond ? best : point), null)
}
