// The rows of a month: into a file, and out of the database. They are final: the month is over and nothing of it is in flight.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { ID_MARGIN_MS, idAt } from '../../worker/request-id.ts'
import type { Month } from '../admin/month.ts'
import type { Database } from '../database/database.ts'
import { rowBatches } from './check-file.ts'
import { FORMAT_VERSION, LineMaker } from './format.ts'
import { readTables, rowSql } from './tables.ts'

const PAGE_ROWS = 500

/** What a month comes to: by its rows or by its daily sums. */
export interface MonthSums {
  requests: number
  costNano: bigint
}

/** How far from its admission a request's id may be: as an export takes it, or however far, which reads every row of the customers. */
export const MARGINS_MS = [ID_MARGIN_MS, Number.MAX_SAFE_INTEGER]

/** Writes the lines of an archive. Throws DatabaseError, and what `write` throws. */
export async function writeMonth(
  db: Database,
  month: Month,
  marginMs: number,
  write: (text: string) => Promise<void>,
  progress: (rows: number) => void,
): Promise<MonthSums> {
  const lines = new LineMaker()
  const columns = (await readTables(db)).find(({ name }) => name === 'usage')?.columns ?? []
  const [migrated] = await db.all('SELECT max(name) AS name FROM d1_migrations')
  const head = { format: 'gateway-archive', version: FORMAT_VERSION, writtenAt: new Date().toISOString(), month: month.name }
  await write(lines.object({ ...head, migration: String(migrated?.name) }))
  await write(lines.section({ table: 'usage', columns }))
  const sums = { requests: 0, costNano: 0n }
  const customers = await db.all(
    'SELECT DISTINCT customer_id AS id FROM usage_daily WHERE day BETWEEN CAST(?1 AS INTEGER) AND CAST(?2 AS INTEGER) ORDER BY 1',
    [month.first, month.last],
  )
  for (const { id } of customers) {
    for await (const page of pages(db, Number(id), month, { columns, marginMs })) {
      await write(lines.rows(page.map(({ row }) => String(row))))
      sums.requests += page.length
      for (const { cost_nano } of page) sums.costNano += BigInt(Number(cost_nano))
      progress(sums.requests)
    }
  }
  await write(lines.proof())
  return sums
}

/** A customer's rows of the month: a range of ids, which begin with the time, as in an export; whether all were in it the daily sums tell. */
async function* pages(
  db: Database,
  customer: number,
  month: Month,
  { columns, marginMs }: { columns: readonly string[]; marginMs: number },
) {
  const [from, to] = [month.first * DAY_MS, (month.last + 1) * DAY_MS]
  let after = marginMs < from ? idAt(from - marginMs) : ''
  const before = marginMs < from ? idAt(to + marginMs) : '~'
  for (;;) {
    const page: Awaited<ReturnType<Database['all']>> = await db.all(
      `SELECT ${rowSql(columns)} AS "row", id, cost_nano FROM usage WHERE customer_id = CAST(?1 AS INTEGER) AND id > ?2 AND id < ?3
         AND created_ms >= CAST(?4 AS INTEGER) AND created_ms < CAST(?5 AS INTEGER) ORDER BY id LIMIT ${PAGE_ROWS}`,
      [customer, after, before, from, to],
    )
    if (page.length > 0) yield page
    if (page.length < PAGE_ROWS) return
    after = String(page.at(-1)?.id)
  }
}

/** Deletes the rows that the file has, as far as they are still there. Returns how many were. Throws DatabaseError. */
export async function deleteArchived(db: Database, path: string, progress: (rows: number) => void): Promise<number> {
  let deleted = 0
  for await (const { columns, rows } of rowBatches(path, (table) => table === 'usage')) {
    const [customer, id] = [columns.indexOf('customer_id'), columns.indexOf('id')]
    const gone = await db.all(
      `DELETE FROM usage WHERE (customer_id, id) IN (SELECT value ->> ${customer}, value ->> ${id} FROM json_each(?1)) RETURNING id`,
      [`[${rows.join(',')}]`],
    )
    deleted += gone.length
    progress(deleted)
  }
  return deleted
}
