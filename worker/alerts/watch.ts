// Each minute: what is there to tell, and to whom. Every alert has a stable id, so that each target is told once, whoever looks and however often.
import type { Config } from '../config.ts'
import { causeOf, log } from '../log.ts'
import { accessTokenAlerts } from './access-token.ts'
import { type Alert, type Kind, OPERATOR_KINDS, writeAlerts } from './alert.ts'
import { balanceAlerts } from './balances.ts'
import { bookAlerts } from './books.ts'
import { budgetAlerts } from './budgets.ts'
import { hostAlerts, type Look } from './host.ts'

/** What a look takes beside the database. */
export interface Watching {
  db: D1Database
  config: Pick<Config, 'accessTokenExpiresDay'>
  nowMs: number
  /** Asks the host, which happens only where somebody wants to know. */
  look(withModels: boolean): Promise<Look>
}

/** Lays down what is to be told. A part that fails is logged and leaves the others alone. Where there is no target, it is one read. */
export async function watch({ db, config, nowMs, look }: Watching): Promise<void> {
  const { results: targets } = await db
    .prepare('SELECT customer_id, kinds FROM alert_targets WHERE removed_ms IS NULL')
    .all<{ customer_id: number | null; kinds: string | null }>()
  if (targets.length === 0) return
  const wanted = new Set(
    targets.flatMap(({ customer_id, kinds }) =>
      customer_id !== null ? [] : kinds === null ? OPERATOR_KINDS : (JSON.parse(kinds) as Kind[]),
    ),
  )
  const wants = (kind: Kind) => wanted.has(kind)
  const anybodyWants = (kind: Kind) => targets.some(({ kinds }) => kinds === null || (JSON.parse(kinds) as Kind[]).includes(kind))
  const write = async (alerts: readonly Alert[], statements: D1PreparedStatement[] = []) => {
    const all = alerts.length === 0 ? statements : [...statements, writeAlerts(db, alerts, nowMs)]
    if (all.length > 0) await db.batch(all)
  }
  const parts: Record<string, () => Promise<void>> = {
    budgets: async () => write(await budgetAlerts(db, nowMs)),
    balances: async () => {
      if (anybodyWants('balance')) await write(await balanceAlerts(db, nowMs))
    },
    books: async () => write(await bookAlerts(db, wants, nowMs)),
    host: async () => {
      if (!wants('host') && !wants('model')) return
      const { alerts, statements } = await hostAlerts(db, await look(wants('model')), wants, nowMs)
      await write(alerts, statements)
    },
    'access token': async () => {
      if (config.accessTokenExpiresDay !== null) await write(accessTokenAlerts(config.accessTokenExpiresDay, nowMs))
    },
  }
  for (const [part, run] of Object.entries(parts)) {
    await run().catch((error) => log({ event: 'error', code: 'alerts', part, message: causeOf(error) }))
  }
}
