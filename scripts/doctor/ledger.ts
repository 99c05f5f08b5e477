// The database: whether its schema is that of this checkout, what the proofs said last, and which models have no price.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { adminCommand } from '../admin/next-command.ts'
import type { Database } from '../database/database.ts'
import { bad, badAlone, type Finding, ok, unasked, warning } from './finding.ts'
import type { Counted } from './gateway.ts'

export async function askMigrations(db: Database, known: readonly string[], remedy: string): Promise<Finding> {
  try {
    const rows = await db.all('SELECT name FROM d1_migrations ORDER BY id')
    const names = rows.map(({ name }) => String(name))
    return judgeMigrations(names, known, remedy)
  } catch (error) {
    const { message } = error as Error
    if (/no tables yet/.test(message)) return bad('it has no tables yet', remedy)
    if (/refuses CLOUDFLARE_API_TOKEN/.test(message)) return unasked('the database cannot be asked', message)
    return bad('the database cannot be read', message)
  }
}

export function judgeMigrations(applied: readonly string[], known: readonly string[], remedy: string): Finding {
  const missing = known.filter((name) => !applied.includes(name))
  if (missing.length > 0) return bad(`${missing.length} of ${known.length} migrations are missing, from ${missing[0]} on`, remedy)
  const newer = applied.filter((name) => !known.includes(name))
  if (newer.length > 0)
    return warning(`it is newer than this checkout, by ${newer.join(', ')}`, 'git pull, so that the commands fit the database.')
  return ok(`all ${known.length} migrations are applied`)
}

export interface LastProof {
  ok: boolean
  findings: number
  atMs: number
}

const LAST = 'SELECT ok, findings, created_ms FROM verifications ORDER BY id DESC LIMIT 1'

export async function askProof(db: Database, nowMs: number, command: string): Promise<Finding> {
  const [row] = await db.all(LAST)
  return judgeProof(
    row === undefined ? null : { ok: row.ok === 1, findings: Number(row.findings), atMs: Number(row.created_ms) },
    nowMs,
    command,
  )
}

/** The nightly run comes once a day. */
const PROOF_OLD_MS = 1.25 * DAY_MS

export function judgeProof(last: LastProof | null, nowMs: number, command: string): Finding {
  if (last === null) return warning('the ledger was never proved', `${command} (it is done each night, too)`)
  const at = new Date(last.atMs).toISOString().slice(0, 16).replace('T', ' ')
  if (!last.ok) return badAlone(`${last.findings} rows disagreed at ${at} UTC`, `${command} names them.`)
  if (nowMs - last.atMs > PROOF_OLD_MS) return warning(`proved at ${at} UTC, not since: the nightly run did not come`, command)
  return ok(`proved at ${at} UTC, all agrees`)
}

/** Of each model the newest price that has begun. */
const STANDING = `SELECT model, upstream, withdrawn FROM
(SELECT model, upstream, withdrawn, row_number() OVER (PARTITION BY model ORDER BY valid_from_ms DESC, id DESC) AS age FROM prices
 WHERE variant = '' AND valid_from_ms <= CAST(? AS INTEGER)) WHERE age = 1`

/** Canonical names; or how many, where the list cannot be asked from here; or why nobody knows. */
export type OnHost = readonly string[] | Counted | { why: string }

export async function askPrices(db: Database, onHost: OnHost, nowMs: number, remote: boolean): Promise<Finding> {
  const rows = await db.all(STANDING, [nowMs])
  const standing = rows.filter(({ withdrawn }) => withdrawn === 0)
  const names = (some: typeof rows) => new Set(some.map(({ model }) => String(model)))
  const inForce = names(standing.filter(({ upstream }) => upstream === 'ollama'))
  const withdrawn = names(rows.filter((row) => row.withdrawn !== 0))
  return judgePrices({ onHost, inForce, withdrawn, ofVendors: standing.length - inForce.size }, remote)
}

interface Prices {
  onHost: OnHost
  inForce: ReadonlySet<string>
  withdrawn: ReadonlySet<string>
  /** How many of vendors' models have one. */
  ofVendors: number
}

export function judgePrices({ onHost, inForce, withdrawn, ofVendors }: Prices, remote: boolean): Finding {
  const setPrice = (model: string) => adminCommand({ remote }, `set-pricing ${model} 0.0001 0 --input 0.10 --output 0.40`)
  if (inForce.size === 0 && ofVendors > 0) return ok(`${ofVendors} of vendors' models; none of the host is offered`)
  if (inForce.size === 0) return bad('no model has a price, so none is offered', setPrice("'*'"))
  // With a price for all there is none without.
  if (('why' in onHost || 'offered' in onHost) && inForce.has('*')) return ok(`${inForce.size} in force, of which one is for every model`)
  if ('why' in onHost)
    return warning(`${inForce.size} in force; which models have none cannot be seen: ${onHost.why}`, `On the box: ollama list`)
  if ('offered' in onHost) return judgeCounts(onHost, withdrawn.size, setPrice)
  if (onHost.length === 0) return bad('there is no model on the host', 'On the box: ollama pull gemma3')
  const unpriced = inForce.has('*') ? [] : onHost.filter((model) => !inForce.has(model) && !withdrawn.has(model))
  const [first] = unpriced
  if (first !== undefined) return warning(`without a price, so not offered: ${unpriced.join(', ')}`, setPrice(first))
  const gone = [...inForce].filter((model) => model !== '*' && !onHost.includes(model))
  const [lost] = gone
  if (lost !== undefined)
    return warning(
      `priced, but not on the host: ${gone.join(', ')}`,
      `On the box: ollama pull ${lost}, or ${adminCommand({ remote }, `withdraw-pricing ${lost}`)}`,
    )
  return ok(`${onHost.length} models on the host, each has a price${withdrawn.size > 0 ? ' or was withdrawn' : ''}`)
}

function judgeCounts({ on_host, offered }: Counted, withdrawn: number, setPrice: (model: string) => string): Finding {
  if (on_host === 0) return bad('there is no model on the box', 'On the box: ollama pull gemma3')
  const text = `${offered} of ${on_host} models on the box have one`
  // Which ones only the box can say.
  if (on_host - offered > withdrawn)
    return warning(
      `${text}; the others are not offered`,
      `${setPrice('MODEL')}, or with '*' as the model for all the rest. Which are on the box: ollama list there; which have one: ${adminCommand({ remote: true }, 'list-pricing')}`,
    )
  return ok(`${text}${offered < on_host ? '; of the others it was withdrawn' : ''}`)
}
