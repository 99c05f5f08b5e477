// Section reports: whether a month's report takes longer after more requests: usage-report, beside the same sums made from the rows themselves.
import { runCommand } from '../admin/run-command.ts'
import { runOnD1 } from '../database/d1.ts'
import { databaseOver } from '../database/database.ts'
import { startGateway } from './cast.ts'
import { interleave } from './rounds.ts'
import type { Stage } from './stage.ts'
import { median } from './statistics.ts'
import type { GatewaySubject } from './subjects.ts'
import { fillUsage, sumUsage } from './usage-rows.ts'

export interface ReportRow {
  /** How many requests the customer has made in the last 30 days. */
  usageRows: number
  /** The command, without the start of its process; by day, of 30 days. */
  reportMs: number
  /** A statement that groups the usage rows likewise. */
  scanMs: number
}

const MODELS = 20
const SCAN =
  'SELECT created_ms / 86400000 AS day, count(*), sum(input_tokens), sum(output_tokens), sum(cost_nano) FROM usage WHERE customer_id = 1 GROUP BY day'

export async function measureReports(stage: Stage): Promise<ReportRow[]> {
  const gateways: { gateway: GatewaySubject; usageRows: number }[] = []
  try {
    for (const usageRows of stage.effort.reportRows) {
      const name = `gateway with ${usageRows.toLocaleString('en-US')} usage rows`
      const gateway = await startGateway(stage, name)
      gateways.push({ gateway, usageRows })
      const onProgress = (done: number) => stage.progress.say(`reports: ${name}, ${done.toLocaleString('en-US')} written`)
      await fillUsage(gateway.db, usageRows, onProgress, MODELS)
      await sumUsage(gateway.db)
    }
    const results = await interleave(gateways, stage.effort.rounds, async ({ gateway }, round) => {
      stage.progress.say(`reports, ${round}: ${gateway.name}`)
      return { reportMs: await timed(() => report(gateway.db)), scanMs: await timed(() => gateway.db.prepare(SCAN).run()) }
    })
    return results.map(({ subject, runs }) => ({
      usageRows: subject.usageRows,
      reportMs: median(runs.map((run) => run.reportMs)),
      scanMs: median(runs.map((run) => run.scanMs)),
    }))
  } finally {
    for (const { gateway } of gateways) await gateway.close()
  }
}

async function report(db: D1Database): Promise<void> {
  const from = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10)
  const database = databaseOver({ run: (statements) => runOnD1(db, statements), migrateHint: '', close: async () => {} })
  const { code, out, err } = await runCommand(['usage-report', '1', '--by', 'day', '--start-date', from], {}, async () => ({
    db: database,
    gateway: null,
  }))
  if (code !== 0 || !out.includes('total')) throw new Error(`reports: ${err}${out}`)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}
