// Whether the host is there with all that is priced on it: asked each minute, told when it is not, with the cause, and when it is again.
import type { Config } from '../config.ts'
import { GatewayError } from '../errors.ts'
import { hostJson, hostModels } from '../host-models.ts'
import { HOST_TROUBLES, type HostTrouble } from '../host-trouble.ts'
import { type Alert, type Kind, minuteText, payloadOf } from './alert.ts'
import { LOOK_LEAST_MS, step, type Trouble } from './trouble.ts'

/** What was found: of the host a cause, or null for a host that is well; of each priced model whether it is there. */
export interface Look {
  host: HostTrouble | null
  /** Null: nobody could say. */
  models: ReadonlySet<string> | null
}

/** Asks the host. Throws nothing of the host's. */
export async function look(config: Config, withModels: boolean, defer: (work: Promise<unknown>) => void): Promise<Look> {
  try {
    await hostJson(config, '/api/version')
    const models = withModels ? new Set((await hostModels({ config, defer })).map(({ name }) => name)) : null
    return { host: null, models }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { host: error.details.host ?? 'answer', models: null }
  }
}

/** The host's models that are offered by name. */
const PRICED = `SELECT p.model FROM prices p WHERE p.model <> '*' AND p.upstream = 'ollama' AND p.withdrawn = 0 AND p.id = (SELECT q.id FROM prices q
  WHERE q.model = p.model AND q.variant = '' AND q.valid_from_ms <= CAST(?1 AS INTEGER) ORDER BY q.valid_from_ms DESC, q.id DESC LIMIT 1)`

/** Alerts about the host, and the statements that keep its state, which belong into the batch that writes them. */
export async function hostAlerts(
  db: D1Database,
  found: Look,
  wants: (kind: Kind) => boolean,
  nowMs: number,
): Promise<{ alerts: Alert[]; statements: D1PreparedStatement[] }> {
  const [states, priced] = await db.batch<Record<string, unknown>>([
    db.prepare("SELECT * FROM alert_state WHERE subject = 'host' OR subject GLOB 'model:*'"),
    db.prepare(PRICED).bind(nowMs),
  ])
  const before = new Map((states?.results ?? []).map((row) => [String(row.subject), row as unknown as Trouble]))
  const subjects = new Map<string, string | null>()
  if (wants('host')) subjects.set('host', found.host)
  if (wants('model') && found.models !== null) {
    const offered = new Set((priced?.results ?? []).map(({ model }) => String(model)))
    for (const model of offered) subjects.set(`model:${model}`, found.models.has(model) ? null : 'missing')
    // What is not offered any more is nobody's trouble.
    const past = [...before.keys()].filter((subject) => subject.startsWith('model:') && !offered.has(subject.slice('model:'.length)))
    for (const subject of past) before.delete(subject)
    return stepAll(db, subjects, before, past, nowMs)
  }
  return stepAll(db, subjects, before, [], nowMs)
}

function stepAll(
  db: D1Database,
  subjects: Map<string, string | null>,
  before: Map<string, Trouble>,
  past: string[],
  nowMs: number,
): { alerts: Alert[]; statements: D1PreparedStatement[] } {
  const alerts: Alert[] = []
  const statements = past.map((subject) => forget(db, subject))
  for (const [subject, seen] of subjects) {
    const known = before.get(subject) ?? null
    const { trouble, tell } = step(known, seen, nowMs)
    if (trouble === null) statements.push(forget(db, subject))
    else if (trouble !== 'same') statements.push(keep(db, subject, trouble))
    if (tell !== null) alerts.push(alertOf(subject, tell === 'down' ? seen : null, known?.since_ms ?? nowMs, nowMs))
  }
  return { alerts, statements }
}

function alertOf(subject: string, seen: string | null, sinceMs: number, nowMs: number): Alert {
  const model = subject.startsWith('model:') ? subject.slice('model:'.length) : null
  const state = seen ?? 'ok'
  const since = minuteText(sinceMs)
  const words =
    model === null
      ? {
          title: seen === null ? 'The host is back' : 'The host is down',
          message: seen === null ? `It was away since ${since}.` : `${HOST_TROUBLES[seen as HostTrouble]} Since ${since}.`,
        }
      : {
          title: `${model} is ${seen === null ? 'back on' : 'not on'} the host`,
          message:
            seen === null
              ? `It was missing since ${since}.`
              : `It has a price, so it is offered, but the host does not have it since ${since}: pull it there, or withdraw its price.`,
        }
  const severity = seen === null ? 'info' : model === null ? 'critical' : 'warning'
  const data = { state, since: new Date(sinceMs).toISOString(), ...(model === null ? {} : { model }) }
  return {
    id: `${subject}:${state}:${sinceMs}`,
    atMs: nowMs,
    payload: payloadOf(model === null ? 'host' : 'model', nowMs, { severity, ...words, data }),
  }
}

function forget(db: D1Database, subject: string): D1PreparedStatement {
  return db.prepare('DELETE FROM alert_state WHERE subject = ?').bind(subject)
}

/** Of two looks that overlap the first one counts. */
const KEEP = `INSERT INTO alert_state (subject, seen, times, told, since_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET seen = excluded.seen, times = excluded.times, told = excluded.told, updated_ms = excluded.updated_ms
WHERE excluded.updated_ms - alert_state.updated_ms >= ${LOOK_LEAST_MS}`

function keep(db: D1Database, subject: string, { seen, times, told, since_ms, updated_ms }: Trouble): D1PreparedStatement {
  return db.prepare(KEEP).bind(subject, seen, times, told, since_ms, updated_ms)
}
