// Delivers what is due: each alert to its target once, tried again for half a day, whatever becomes of the receiver or of this run.
import type { Config } from '../config.ts'
import { log } from '../log.ts'
import { callUpstream } from '../upstream.ts'
import type { Payload } from './alert.ts'
import { type Format, jsonMessage, type Message, ntfyMessage, slackMessage } from './formats.ts'
import { targetSecret, webhookId } from './signing.ts'
import { targetUrl } from './target-url.ts'

/** How long after a failed attempt the next one comes, minutes; after the last one there is none. */
const WAITS_MINUTES = [1, 5, 25, 120, 600]
/** How many a run delivers; the rest is the next run's. */
const PER_RUN = 20
/** How many of them at a time: a Worker has six connections. */
const AT_ONCE = 5
const TIMEOUT_MS = 10_000

/** Posts a message; gives the status, or why there is none. */
export type Post = (url: URL, message: Message) => Promise<number | 'no answer' | 'no answer in time'>

export interface Delivering {
  db: D1Database
  config: Pick<Config, 'alertSigningSecret'>
  nowMs: number
  post?: Post
}

interface Due {
  target_id: number
  id: string
  kind: string
  payload: string
  attempts: number
  url: string
  format: Format
}

/**
 * Takes what is due and, in the same statement, puts its next attempt off: of two runs that overlap only one has it, and what a run that dies
 * had taken comes again, under the same id. `?1` is now.
 */
const CLAIM = `UPDATE alerts SET attempts = attempts + 1,
  next_ms = CAST(?1 AS INTEGER) + 60000 * CASE attempts ${WAITS_MINUTES.map((minutes, index) => `WHEN ${index} THEN ${minutes}`).join(' ')} ELSE ${WAITS_MINUTES.at(-1)} END
WHERE (target_id, id) IN (
  SELECT a.target_id, a.id FROM alerts a JOIN alert_targets t ON t.id = a.target_id AND t.removed_ms IS NULL
  WHERE a.delivered_ms IS NULL AND a.gave_up_ms IS NULL AND a.next_ms <= CAST(?1 AS INTEGER) ORDER BY a.next_ms LIMIT ${PER_RUN})
RETURNING target_id, id, kind, payload, attempts,
  (SELECT t.url FROM alert_targets t WHERE t.id = target_id) AS url, (SELECT t.format FROM alert_targets t WHERE t.id = target_id) AS format`

/** `?1` are the outcomes as JSON. */
const DONE = `UPDATE alerts SET delivered_ms = e.value ->> 'deliveredMs', gave_up_ms = e.value ->> 'gaveUpMs', error = e.value ->> 'error'
FROM json_each(?1) e WHERE alerts.target_id = e.value ->> 'targetId' AND alerts.id = e.value ->> 'id' AND alerts.delivered_ms IS NULL`

/** Returns how many were taken. Throws what the database does; what a receiver does is written down. */
export async function deliver({ db, config, nowMs, post = postOut }: Delivering): Promise<number> {
  const { results } = await db.prepare(CLAIM).bind(nowMs).all<Due>()
  for (let at = 0; at < results.length; at += AT_ONCE) {
    const some = results.slice(at, at + AT_ONCE)
    const outcomes = await Promise.all(some.map(async (due) => outcomeOf(due, await attempt(due, config, post), nowMs)))
    await db.prepare(DONE).bind(JSON.stringify(outcomes)).run()
  }
  return results.length
}

/** Null: delivered. Else why not, in words without the address, which may be a secret. */
async function attempt(due: Due, config: Delivering['config'], post: Post): Promise<string | null> {
  const url = targetUrl(due.url)
  if (url === null) return 'the address is neither https nor on this machine'
  const message = messageOf(due, config.alertSigningSecret)
  if (message === null) return 'ALERT_SIGNING_SECRET is not set'
  // fetch takes no user in an address.
  const { username, password } = url
  if (username !== '' || password !== '') {
    message.headers.authorization = `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`
    url.username = url.password = ''
  }
  const answer = await post(url, message)
  if (typeof answer !== 'number') return answer
  return answer >= 200 && answer < 300 ? null : `status ${answer}`
}

/** Signed anew each time: a signature is good for some minutes. */
function messageOf({ target_id, id, payload, format }: Due, signingSecret: string | null): Message | null {
  const value = JSON.parse(payload) as Payload
  if (format === 'ntfy') return ntfyMessage(value)
  if (format === 'slack') return slackMessage(value)
  if (signingSecret === null) return null
  return jsonMessage(value, { secret: targetSecret(signingSecret, target_id), id: webhookId(target_id, id) }, Date.now())
}

function outcomeOf({ target_id, id, kind, attempts }: Due, error: string | null, nowMs: number) {
  // 410 Gone: Standard Webhooks has a receiver say so that it wants no more.
  const isOver = error !== null && (attempts > WAITS_MINUTES.length || error === 'status 410')
  const outcome = error === null ? 'delivered' : isOver ? 'given up' : 'failed'
  log({ event: error === null ? 'alert' : 'error', code: 'alert', outcome, target_id, alert: id, kind, attempts, message: error })
  return { targetId: target_id, id, error, deliveredMs: error === null ? nowMs : null, gaveUpMs: isOver ? nowMs : null }
}

const postOut: Post = async (url, { headers, body }) => {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const answer = await callUpstream(url.href, new Headers(headers), { method: 'POST', body, signal }, () => new Error('no answer'))
    await answer.body?.cancel()
    return answer.status
  } catch {
    return signal.aborted ? 'no answer in time' : 'no answer'
  }
}
