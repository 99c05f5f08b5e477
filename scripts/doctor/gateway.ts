// The gateway, asked as anybody may: whether it answers at its address, how its database is, its clock, and how it sees the host.
import * as z from 'zod'
import { HOST_TROUBLES, type HostTrouble } from '../../worker/host-trouble.ts'
import { type Asked, isPage, jsonIn } from './ask.ts'
import { bad, type Finding, ok, warning } from './finding.ts'

/** What answers programs with a page for people. */
const VISITOR_CHECKS =
  'In the dashboard of the zone, switch off Bot Fight Mode (Security > Settings > Bots) and Browser Integrity Check (for this hostname, by a configuration rule).'

const health = z.object({ gateway: z.string(), database: z.string(), schema: z.string(), version: z.string() })

/** `/health`. @param start what starts or deploys it */
export function judgeGateway(asked: Asked, url: string, start: string): Finding {
  if ('silent' in asked) return bad(`${url} does not answer: ${asked.silent}`, start)
  if (asked.status === 403 && isPage(asked)) return bad(`${url} answers this machine with a page of Cloudflare's (403)`, VISITOR_CHECKS)
  const read = health.safeParse(jsonIn(asked))
  if (!read.success) return bad(`${url} answers ${asked.status}, but not as the gateway does${cloudflareSays(asked.text)}`, start)
  const { database, schema, version } = read.data
  if (database !== 'ok')
    return bad(
      `${url}, version ${version}, has no database: ${database}`,
      'Look at its log: npx wrangler tail; D1 may have its day’s rows used up.',
    )
  if (schema !== 'ok') return bad(`${url}, version ${version}: the schema is ${schema}`, start)
  return ok(`${url}, version ${version}, answers in ${asked.tookMs} ms`)
}

function cloudflareSays(text: string): string {
  const code = /error code: (\d+)/.exec(text)?.[1]
  return code === undefined ? '' : ` (Cloudflare's error ${code})`
}

const CLOCK_WELL_MS = 5_000
const CLOCK_BAD_MS = 5 * 60_000

/** The Date header against our clock; it tells whole seconds. */
export function judgeClock(asked: Asked): Finding {
  const date = 'silent' in asked ? null : asked.headers.get('date')
  if ('silent' in asked || date === null) return warning('the gateway tells no time', 'Nothing to do, unless it stays so.')
  const middleMs = asked.atMs - asked.tookMs / 2
  const offMs = middleMs - (Date.parse(date) + 500)
  const off = `${Math.abs(Math.round(offMs / 1000))} s ${offMs > 0 ? 'fast' : 'slow'}`
  const remedy =
    'Switch on network time here (timedatectl set-ntp true): dates of keys and reports that are given on this machine would be off.'
  if (Math.abs(offMs) > CLOCK_BAD_MS) return bad(`this machine's is ${off}`, remedy)
  if (Math.abs(offMs) > CLOCK_WELL_MS) return warning(`this machine's is ${off}`, remedy)
  return ok("this machine's and the gateway's agree")
}

/** How many models are on the box, and how many of them have a price. */
export interface Counted {
  on_host: number
  offered: number
}

const hostHealth = z.object({
  state: z.enum(['ok', 'limited', 'down']),
  cause: z.enum(Object.keys(HOST_TROUBLES) as [HostTrouble, ...HostTrouble[]]).nullable(),
  version: z.string().nullable(),
  latency_ms: z.number(),
  models: z.object({ on_host: z.number(), offered: z.number() }).nullish(),
})

/** `/health/ollama`: with the gateway's own token, all the way to the box. */
export function judgeHost(asked: Asked): Finding {
  const read = 'silent' in asked ? null : hostHealth.safeParse(jsonIn(asked))
  if (!read?.success) return bad('the gateway does not tell how its host is', 'Deploy this version of the gateway: npm run deploy.')
  const { state, cause, version, latency_ms } = read.data
  if (state === 'down') return bad(`the gateway does not come through to Ollama (${cause})`, HOST_TROUBLES[cause ?? 'answer'])
  if (state === 'limited') return warning(`version ${version}, in ${latency_ms} ms`, HOST_TROUBLES[cause ?? 'version'])
  return ok(`version ${version}, in ${latency_ms} ms`)
}

/** What `/health/ollama` counted; null: it did not. */
export function countedIn(asked: Asked): Counted | null {
  return ('silent' in asked ? null : hostHealth.safeParse(jsonIn(asked)).data?.models) ?? null
}

/** The public address, asked as a client's program does: pages of Cloudflare's instead of the gateway's JSON are its bot defences. */
export function judgeAgent(asked: Asked, agent: string): Finding {
  if ('silent' in asked)
    return bad(`${agent} gets no answer: ${asked.silent}`, 'Try again; if it stays, look at the DNS record and the Worker’s domain.')
  const challenged = asked.headers.get('cf-mitigated') !== null
  if (!challenged && !isPage(asked)) return ok(`${agent} is let in`)
  return bad(`${agent} gets a page of Cloudflare's (${asked.status}) in place of an answer`, VISITOR_CHECKS)
}
