// The tables of section paid.
import { DIRECT } from './cast.ts'
import { against, type Table } from './cells.ts'
import { LOAD_TOKENS } from './load.ts'
import { PACED_STREAMS } from './paced.ts'
import { LOCAL, LOCAL_TAKEN_OUT, PAID_TAKEN_OUT, type Paid } from './paid.ts'

export function paidTables({ load, paced }: Paid): Table[] {
  const find = (name: string, inFlight: number) => load.find((point) => point.subject === name && point.inFlight === inFlight)
  const loadRows = load.filter(({ subject }) => subject !== DIRECT)
  const pacedRows = paced.filter(({ subject }) => subject !== DIRECT)
  return [
    {
      title: `A vendor's streams of ${LOAD_TOKENS} tokens beside the host's (× the local ones for the same caller)`,
      columns: ['in flight', 'streams', 'first token, added ms', 'whole, ms', 'p99, ms', 'requests/s', 'CPU ms per request'],
      words: 2,
      rows: loadRows.map((point) => {
        const local = find(localOf(point.subject), point.inFlight)
        return [
          String(point.inFlight),
          point.subject,
          against(addedFirstMs(load, point.subject, point.inFlight), addedFirstMs(load, localOf(point.subject), point.inFlight)),
          against(point.wholeMs, local?.wholeMs),
          against(point.p99Ms, local?.p99Ms),
          against(point.requestsPerSecond, local?.requestsPerSecond),
          against(point.cpuMs, local?.cpuMs),
        ]
      }),
    },
    {
      title: `A vendor's token on its way, ${PACED_STREAMS} streams of 50 tokens a second each (× the local ones for the same caller)`,
      columns: ['', 'added, ms', 'p99, ms', 'CPU ms per 1,000'],
      rows: pacedRows.map((row) => {
        const local = paced.find(({ subject }) => subject === localOf(row.subject))
        return [
          row.subject,
          against(row.addedMs, local?.addedMs),
          against(row.p99Ms, local?.p99Ms),
          against(row.cpuMsPer1000Tokens, local?.cpuMsPer1000Tokens),
        ]
      }),
    },
  ]
}

/** Time to the first token less that of callers who ask the host directly. NaN where one of the two was not measured. */
export function addedFirstMs(load: Paid['load'], name: string, inFlight: number): number {
  const firstMs = (subject: string) => load.find((point) => point.subject === subject && point.inFlight === inFlight)?.firstMs ?? Number.NaN
  return firstMs(name) - firstMs(DIRECT)
}

/** What streams are compared with: local ones that pass in the same way. */
function localOf(name: string): string {
  return name === PAID_TAKEN_OUT || name === LOCAL_TAKEN_OUT ? LOCAL_TAKEN_OUT : LOCAL
}
