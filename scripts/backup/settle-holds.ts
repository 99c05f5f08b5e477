// Settles what a backup had in flight with the sweep's own code, over whichever way to the database there is.
import { sweep } from '../../worker/ledger/settlement.ts'
import type { Database, Row, Statement } from '../database/database.ts'
import { END_LEASES } from './load.ts'

/** Ends all leases and settles them. Returns how many there were. Throws DatabaseError. */
export async function settleHolds(db: Database): Promise<number> {
  await db.batch([END_LEASES])
  const d1 = asD1(db)
  let settled = 0
  for (let found = await sweep(d1); found > 0; found = await sweep(d1)) settled += found
  return settled
}

type Bound = Statement & { all(): Promise<{ results: Row[] }> }

/** As much of a D1 binding as the sweep uses. */
function asD1(db: Database): D1Database {
  const bound = (sql: string, params: unknown[]): Bound => ({ sql, params, all: async () => ({ results: await db.all(sql, params) }) })
  return {
    prepare: (sql: string) => ({ ...bound(sql, []), bind: (...params: unknown[]) => bound(sql, params) }),
    batch: async (statements: Bound[]) =>
      (await db.batch(statements.map(({ sql, params }) => ({ sql, params })))).map((results) => ({ results })),
  } as unknown as D1Database
}
