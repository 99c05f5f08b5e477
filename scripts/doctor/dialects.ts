// One token in each dialect, end to end: it comes from the host, and it is in the ledger.
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { adminCommand } from '../admin/next-command.ts'
import { type Answer, type Asked, ask, jsonIn } from './ask.ts'
import { badAlone, type Finding, ok, warning } from './finding.ts'

interface Dialect {
  name: string
  path: string
  body: object
}

const messages = [{ role: 'user', content: 'Hi' }]
export const DIALECTS: readonly Dialect[] = [
  { name: "Ollama's", path: '/api/chat', body: { messages, stream: false, options: { num_predict: 1 } } },
  { name: "OpenAI's", path: '/v1/chat/completions', body: { messages, max_tokens: 1 } },
  { name: "Anthropic's", path: '/v1/messages', body: { messages, max_tokens: 1 } },
]

export interface Asking {
  /** A deployed gateway, not that of this machine. */
  remote: boolean
  fetch: typeof globalThis.fetch
  baseUrl: string
  key: string
}

/** A model may have to be loaded first. */
const ANSWER_MS = 150_000
const SETTLED_MS = 20_000
const LOOK_EVERY_MS = 250

const tags = z.object({ models: z.array(z.object({ name: z.string(), capabilities: z.array(z.string()).optional() })) })

/** The first model that this key may chat with; null: there is none, or the list did not come. */
export async function firstModel({ fetch, baseUrl, key }: Asking): Promise<string | null> {
  const asked = await ask(fetch, `${baseUrl}/api/tags`, { headers: { authorization: `Bearer ${key}` } })
  const read = 'silent' in asked ? null : tags.safeParse(jsonIn(asked))
  const models = read?.success ? read.data.models : []
  const chats = models.filter(({ name, capabilities }) => capabilities?.includes('completion') ?? !/embed|minilm|\bbge\b/.test(name))
  return chats[0]?.name ?? null
}

export async function tryDialect(asking: Asking, model: string, { name, path, body }: Dialect): Promise<Finding> {
  const { remote, fetch, baseUrl, key } = asking
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const asked = await ask(fetch, `${baseUrl}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model, ...body }),
    timeoutMs: ANSWER_MS,
  })
  if ('silent' in asked || asked.status !== 200) return judgeToken(asked, null, name, remote)
  return judgeToken(asked, await toldOf(asking, asked), name, remote)
}

const told = z.object({
  state: z.enum(['running', 'ended']),
  outcome: z.string().optional(),
  output_tokens: z.number().optional(),
  cost_usd: z.string().optional(),
})
type Told = z.infer<typeof told>

/** What the ledger has of the request, once it is settled: that comes after the answer. */
async function toldOf({ fetch, baseUrl, key }: Asking, answer: Answer): Promise<Told | null> {
  const id = answer.headers.get('x-request-id')
  const untilMs = performance.now() + SETTLED_MS
  for (;;) {
    const asked = await ask(fetch, `${baseUrl}/account/requests/${id}`, { headers: { authorization: `Bearer ${key}` } })
    const read = 'silent' in asked ? null : told.safeParse(jsonIn(asked))
    if (read?.success && read.data.state === 'ended') return read.data
    if (performance.now() > untilMs) return read?.success ? read.data : null
    await sleep(LOOK_EVERY_MS)
  }
}

export function judgeToken(asked: Asked, ledger: Told | null, name: string, remote: boolean): Finding {
  const admin = (command: string) => adminCommand({ remote }, command)
  if ('silent' in asked)
    return badAlone(`${name}: ${asked.silent}`, 'Ask again: a model that is loaded for the first time may take minutes.')
  if (asked.status !== 200) return badAlone(`${name}: ${asked.status}, ${wordsOf(asked)}`, remedyOf(asked.status, admin))
  if (ledger?.state !== 'ended')
    return badAlone(
      `${name}: answered, but it is not in the ledger after ${SETTLED_MS / 1000} s`,
      `${admin('top')} shows what is not settled; look at the log of the Worker.`,
    )
  const { outcome, output_tokens: tokens, cost_usd: cost } = ledger
  if (outcome !== 'completed')
    return badAlone(`${name}: answered, but its outcome is ${outcome}`, `${admin('explain REQUEST_ID')} tells why.`)
  if (Number(cost) === 0)
    return warning(`${name}: a token in ${asked.tookMs} ms, for nothing`, `The price of this model is zero: see ${admin('list-pricing')}`)
  return ok(`${name}: ${tokens} token${tokens === 1 ? '' : 's'} in ${asked.tookMs} ms, charged $${cost}`)
}

/** The gateway's own words, whichever dialect they are in. */
function wordsOf(answer: Answer): string {
  const { error } = (jsonIn(answer) ?? {}) as { error?: string | { message?: string } }
  const words = typeof error === 'string' ? error : error?.message
  return words ?? 'not in the words of the gateway'
}

function remedyOf(status: number, admin: (command: string) => string): string {
  if (status === 401) return `Use a key that works: ${admin('list-keys')}`
  if (status === 402) return `The budget is used up: ${admin('check-budget CUSTOMER')}; or use another key.`
  if (status === 403 || status === 404) return 'Choose a model that this key may use: --model NAME.'
  if (status === 429 || status === 503) return 'Others are on the host right now: try again in a moment.'
  return 'GET /health/ollama says how the host is; npx wrangler tail has the cause.'
}
