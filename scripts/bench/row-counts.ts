// Section rows: what a request asks of D1, alone and in company: calls are what time goes by, rows are what the bill goes by.
import { v7 } from 'uuid'
import { type Admitted, type Ask, OUTPUT_LEAST } from '../../worker/ledger/admission.ts'
import { Group } from '../../worker/ledger/group.ts'
import type { NanoUsd } from '../../worker/money.ts'
import { UNUSED } from '../../worker/pricing.ts'
import { startGateway } from './cast.ts'
import type { Stage } from './stage.ts'
import { MODEL } from './subjects.ts'

/** Per request, its admission and its settlement together. */
export interface RowCounts {
  requestsAtOnce: number
  calls: number
  rowsRead: number
  rowsWritten: number
}

const AT_ONCE = [1, 20]

/** The Worker's own ledger, run from here over the gateway's database, since D1 tells the rows only to who asked. */
export async function measureRows(stage: Stage): Promise<RowCounts[]> {
  const { db, close } = await startGateway(stage, 'a gateway to count the rows of')
  try {
    stage.progress.say('rows: counting')
    const keyHash = (await db.prepare('SELECT hash FROM api_keys').first<string>('hash')) ?? ''
    const counts: RowCounts[] = []
    for (const requestsAtOnce of AT_ONCE) counts.push(await countRows(db, keyHash, requestsAtOnce))
    return counts
  } finally {
    await close()
  }
}

async function countRows(db: D1Database, keyHash: string, requestsAtOnce: number): Promise<RowCounts> {
  const total = { calls: 0, rowsRead: 0, rowsWritten: 0 }
  const group = new Group(counting(db, total))
  const asks = Array.from({ length: requestsAtOnce }, () => askOf(keyHash))
  const defer = () => {}
  const verdicts = await Promise.all(asks.map((ask) => group.admit(ask, defer)))
  const admitted = verdicts.filter((verdict) => verdict.admitted)
  if (admitted.length < requestsAtOnce) throw new Error('rows: the ledger refused a request of the bench')
  await Promise.all(admitted.map(({ hold, standing }) => group.settle(endingOf(hold, standing.keyId), defer)))
  const each = (sum: number) => sum / requestsAtOnce
  return { requestsAtOnce, calls: each(total.calls), rowsRead: each(total.rowsRead), rowsWritten: each(total.rowsWritten) }
}

/** The ledger asks by `batch` alone. */
function counting(db: D1Database, total: { calls: number; rowsRead: number; rowsWritten: number }): D1Database {
  const batch: D1Database['batch'] = async <T>(statements: D1PreparedStatement[]) => {
    const results = await db.batch<T>(statements)
    total.calls++
    for (const { meta } of results) {
      total.rowsRead += meta.rows_read
      total.rowsWritten += meta.rows_written
    }
    return results
  }
  return { prepare: (sql: string) => db.prepare(sql), batch } as D1Database
}

function askOf(keyHash: string): Ask {
  return {
    id: v7(),
    keyHash,
    model: `${MODEL}:latest`,
    name: MODEL,
    dialect: 'openai-chat',
    readings: {
      ollama: {
        inputBound: 300,
        outputAsked: null,
        outputLeast: OUTPUT_LEAST,
        runs: 1,
        rereads: true,
        cacheWrite: 'none',
        leaseMs: 130_000,
      },
    },
    hostConcurrency: 10_000,
    deadlineMs: 600_000,
  }
}

function endingOf({ id, customerId }: Admitted['hold'], keyId: number) {
  const used = { ...UNUSED, input: 20, output: 16, gpuMs: 100 }
  return { customerId, keyId, id, outcome: 'completed' as const, estimated: false, costNano: 1000 as NanoUsd, used, firstMs: 10 }
}
