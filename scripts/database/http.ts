// Statements over HTTP, in the shape of D1's REST API: https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/raw/
import * as z from 'zod'
import { isBarredPort } from '../cloudflare/api-address.ts'
import { DatabaseError, d1Message, type RawResult, type Statement } from './database.ts'

/** D1 gives a batch 30 s. */
const TIMEOUT_MS = 45_000

export interface Endpoint {
  /** The whole address of `/raw`. */
  url: string
  token: string
  /** Who answers there: the subject of error messages. */
  who: string
  /** The setting that its address comes from. */
  setting?: string
  /** What to tell the operator of a refusal with this HTTP status and these words; null: the words. */
  explain(status: number, said: string): string | null
}

const answer = z.discriminatedUnion('success', [
  z.object({
    success: z.literal(true),
    result: z.array(z.object({ results: z.object({ columns: z.array(z.string()), rows: z.array(z.array(z.unknown())) }) })),
  }),
  z.object({ success: z.literal(false), errors: z.array(z.object({ message: z.string() })) }),
])

/** Posts the statements as one batch, which is one transaction. Throws DatabaseError; the token is in no message. */
export async function postStatements(endpoint: Endpoint, statements: readonly Statement[], timeoutMs = TIMEOUT_MS): Promise<RawResult[]> {
  const failed = (message: string) => new DatabaseError(message.replaceAll(endpoint.token, '…'))
  const response = await post(endpoint, JSON.stringify({ batch: statements }), timeoutMs).catch((error) => {
    throw failed(`${endpoint.who} cannot be reached: ${whyNot(endpoint, error, timeoutMs)}`)
  })
  const read = answer.safeParse(await response.json().catch(() => null))
  const said = read.data?.success === false ? read.data.errors.map(({ message }) => d1Message(message)).join('; ') : ''
  const explained = response.ok ? null : endpoint.explain(response.status, said)
  if (explained !== null) throw failed(explained)
  if (!read.success) throw failed(`${endpoint.who} answered ${response.status}, but not as a database does.`)
  if (!read.data.success) throw failed(said || `${endpoint.who} failed.`)
  const results = read.data.result.map((one) => one.results)
  if (results.length !== statements.length) throw failed(`${endpoint.who} answered ${results.length} of ${statements.length} statements.`)
  return results
}

function post({ url, token }: Endpoint, body: string, timeoutMs: number): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body,
    // A redirect would carry the token along.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
}

function whyNot({ setting = 'its address' }: Endpoint, error: unknown, timeoutMs: number): string {
  if (isBarredPort(error)) return `no program asks at the port that ${setting} has: mend that.`
  const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException }
  if (name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`
  return cause?.code ?? cause?.message ?? message
}
