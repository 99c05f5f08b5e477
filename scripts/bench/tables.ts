// Results as tables of text, the same for a terminal and for the page.
import { type Aim, aimsOf } from './aims.ts'
import type { BundleSize } from './bundle-size.ts'
import { DIRECT, PASS_THROUGH } from './cast.ts'
import { against, type Table } from './cells.ts'
import type { Effort } from './effort.ts'
import { loadTables } from './load-tables.ts'
import type { MemoryRow } from './memory.ts'
import { PACED_STREAMS, type PacedRow } from './paced.ts'
import { paidTables } from './paid-tables.ts'
import type { ReportRow } from './reports.ts'
import type { Results } from './results.ts'
import type { RowCounts } from './row-counts.ts'
import type { ScaleRow } from './scale.ts'
import { STALLED_READERS } from './stalled-readers.ts'
import type { StartRow } from './start-up.ts'
import { figure } from './statistics.ts'

/** One or two for each section that was measured, the aims first. */
export function tablesOf(results: Results): Table[] {
  const { load, paced, paid, memory, scale, reports, rows, size, start } = results
  const aims = aimsOf(results)
  return [
    ...(aims.length > 0 ? [aimsTable(aims)] : []),
    ...(load ? loadTables(load) : []),
    ...(paced ? [pacedTable(paced)] : []),
    ...(paid ? paidTables(paid) : []),
    ...(memory ? [memoryTable(memory, results.effort)] : []),
    ...(scale ? [scaleTable(scale)] : []),
    ...(reports ? [reportsTable(reports)] : []),
    ...(rows ? [rowsTable(rows)] : []),
    ...(size ? [sizeTable(size)] : []),
    ...(start ? [startTable(start)] : []),
  ]
}

function aimsTable(aims: Aim[]): Table {
  const rows = aims.map(({ aim, figure, reached }) => [aim, reached ? 'reached' : 'not reached', figure])
  return { title: 'Aims', columns: ['', '', 'found'], words: 2, rows }
}

function pacedTable(paced: PacedRow[]): Table {
  const bare = paced.find(({ subject }) => subject === PASS_THROUGH)
  return {
    title: `A token on its way, ${PACED_STREAMS} streams of 50 tokens a second each (× the pass-through)`,
    columns: ['', 'added, ms', 'p50, ms', 'p90, ms', 'p99, ms', 'p99 − p50, ms', 'CPU ms per 1,000'],
    rows: paced.map((row) => {
      const of = row.subject === DIRECT ? undefined : bare
      return [
        row.subject,
        row.subject === DIRECT ? '–' : against(row.addedMs, of?.addedMs),
        against(row.p50Ms, of?.p50Ms),
        against(row.p90Ms, of?.p90Ms),
        against(row.p99Ms, of?.p99Ms),
        against(row.jitterMs, of?.jitterMs),
        against(row.cpuMsPer1000Tokens, of?.cpuMsPer1000Tokens),
      ]
    }),
  }
}

function memoryTable(memory: MemoryRow[], { memoryWarmUp, memoryStreams }: Effort): Table {
  const count = (streams: number) => streams.toLocaleString('en-US')
  const [bare] = memory
  return {
    title: `Memory of the process, MiB (× the pass-through)`,
    columns: [
      '',
      `each of ${STALLED_READERS} readers who stopped, at most`,
      `after ${count(memoryWarmUp)} streams`,
      `grown by ${count(memoryStreams / 2)} more`,
      `by ${count(memoryStreams / 2)} more`,
    ],
    rows: memory.map((row) => [
      row.subject,
      against(row.stalledMib, bare?.stalledMib),
      against(row.settledMib, bare?.settledMib),
      figure(row.firstHalfMib),
      figure(row.secondHalfMib),
    ]),
  }
}

function scaleTable(scale: ScaleRow[]): Table {
  const [few] = scale
  return {
    title: 'A customer with a past, one request in flight',
    columns: ['usage rows', 'first token, ms', 'CPU ms'],
    words: 0,
    rows: scale.map((row) => [row.usageRows.toLocaleString('en-US'), against(row.firstMs, few?.firstMs), against(row.cpuMs, few?.cpuMs)]),
  }
}

function reportsTable(reports: ReportRow[]): Table {
  const [few] = reports
  return {
    title: `usage-report of 30 days, from the daily sums, and the same from the rows themselves (× the fewest rows)`,
    columns: ['usage rows', 'usage-report, s', 'the rows, s'],
    words: 0,
    rows: reports.map((row) => [
      row.usageRows.toLocaleString('en-US'),
      against(row.reportMs / 1000, (few?.reportMs ?? Number.NaN) / 1000),
      against(row.scanMs / 1000, (few?.scanMs ?? Number.NaN) / 1000),
    ]),
  }
}

function rowsTable(rows: RowCounts[]): Table {
  return {
    title: 'What a request asks of D1, admission and settlement together',
    columns: ['requests at once', 'D1 calls', 'rows read', 'rows written'],
    words: 0,
    rows: rows.map((row) => [String(row.requestsAtOnce), figure(row.calls), figure(row.rowsRead), figure(row.rowsWritten)]),
  }
}

function sizeTable({ bytes, gzipBytes }: BundleSize): Table {
  const rows = [
    ['minified', figure(bytes / 1024)],
    ['and compressed (gzip)', figure(gzipBytes / 1024)],
  ]
  return { title: 'Bundle', columns: ['', 'KiB'], rows }
}

function startTable(start: StartRow[]): Table {
  const [bare] = start
  const rows = start.map(({ subject, ms }) => [subject, against(ms, bare?.ms)])
  return { title: 'From the start of workerd to the first answer (× the pass-through)', columns: ['', 'ms'], rows }
}
