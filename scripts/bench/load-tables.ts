// The tables of section load.
import { FLOOR } from './cast.ts'
import { against, type Table } from './cells.ts'
import { LEVELS_SHOWN } from './effort.ts'
import { LOAD_TOKENS, type LoadPoint } from './load.ts'
import { figure } from './statistics.ts'
import { bestWithin, LIMITS_MS } from './within-limit.ts'

export function loadTables(load: LoadPoint[]): Table[] {
  const streams = load.filter(({ streaming, inFlight }) => streaming && LEVELS_SHOWN.includes(inFlight))
  const wholes = load.filter(({ streaming }) => !streaming)
  return [
    timesTable(`Streams of ${LOAD_TOKENS} tokens that the host sends at once (× the floor)`, streams),
    timesTable('The same in one piece (× the floor)', wholes),
    limitsTable(load),
  ]
}

function timesTable(title: string, points: LoadPoint[]): Table {
  return {
    title,
    columns: ['in flight', 'subject', 'first token, ms', 'whole, ms', 'p99, ms', 'requests/s', 'CPU ms per request'],
    words: 2,
    rows: points.map((point) => {
      const floor = points.find(({ subject, inFlight }) => subject === FLOOR && inFlight === point.inFlight)
      return [
        String(point.inFlight),
        point.subject,
        against(point.firstMs, floor?.firstMs),
        against(point.wholeMs, floor?.wholeMs),
        against(point.p99Ms, floor?.p99Ms),
        against(point.requestsPerSecond, floor?.requestsPerSecond),
        against(point.cpuMs, floor?.cpuMs),
      ]
    }),
  }
}

function limitsTable(load: LoadPoint[]): Table {
  const subjects = [...new Set(load.map(({ subject }) => subject))]
  const cell = (subject: string, limitMs: number) => {
    const best = bestWithin(load, subject, limitMs)
    return best === null ? 'none' : `${figure(best.requestsPerSecond)} (${best.inFlight} in flight)`
  }
  return {
    title: 'Requests a second, streaming, of which 99 in 100 end in time',
    columns: ['', ...LIMITS_MS.map((limitMs) => `within ${limitMs} ms`)],
    rows: subjects.map((subject) => [subject, ...LIMITS_MS.map((limitMs) => cell(subject, limitMs))]),
  }
}
