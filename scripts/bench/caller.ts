// The callers, in a process of their own: so many at once, each sending its next request when the last one has ended.
import { Pool } from 'undici'

export interface Job {
  origin: string
  path: string
  headers: Record<string, string>
  body: string
  /** How many requests are in flight. */
  inFlight: number
  requests: number
  /** No request begins later than this, milliseconds after the first. */
  timeMs: number
  /** Tokens that come earlier than this are not timed, milliseconds after the first request: the others are being admitted still. */
  untimedMs?: number
}

/** Times in milliseconds. */
export interface Outcome {
  wallMs: number
  /** To the first byte of the body. */
  firstMs: number[]
  /** To its end. */
  totalMs: number[]
  /** How long each token was on its way, where the host wrote down when it sent it. */
  tokenMs: number[]
  failed: number
  /** What the first failure was. */
  failure: string | null
  bytes: number
}

const SENT = /t=(\d+)"/g

async function run(job: Job): Promise<Outcome> {
  const pool = new Pool(job.origin, { connections: job.inFlight, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 })
  const outcome: Outcome = { wallMs: 0, firstMs: [], totalMs: [], tokenMs: [], failed: 0, failure: null, bytes: 0 }
  const startMs = performance.now()
  let begun = 0
  async function caller(): Promise<void> {
    while (begun < job.requests && performance.now() - startMs < job.timeMs) {
      begun++
      await call(pool, job, outcome, startMs + (job.untimedMs ?? 0))
    }
  }
  await Promise.all(Array.from({ length: job.inFlight }, caller))
  outcome.wallMs = performance.now() - startMs
  await pool.close()
  return outcome
}

function call(pool: Pool, job: Job, outcome: Outcome, timedFromMs: number): Promise<void> {
  return new Promise((resolve) => {
    const startMs = performance.now()
    let firstMs = 0
    let status = 0
    let refusal = ''
    const fail = (why: string) => {
      outcome.failed++
      outcome.failure ??= why
      resolve()
    }
    pool.dispatch(
      { path: job.path, method: 'POST', headers: { 'content-type': 'application/json', ...job.headers }, body: job.body },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode) {
          status = statusCode
        },
        onResponseData(_controller, chunk) {
          if (firstMs === 0) firstMs = performance.now() - startMs
          outcome.bytes += chunk.length
          if (status !== 200) refusal += chunk.toString()
          else if (performance.now() > timedFromMs) readTimes(chunk, outcome.tokenMs)
        },
        onResponseEnd() {
          if (status !== 200) return fail(`${status} ${refusal.slice(0, 300)}`)
          outcome.firstMs.push(firstMs)
          outcome.totalMs.push(performance.now() - startMs)
          resolve()
        },
        onResponseError: (_controller, error) => fail(String(error)),
      },
    )
  })
}

/** A chunk can cut a time in two; that one is left out. */
function readTimes(chunk: Buffer, tokenMs: number[]): void {
  if (!chunk.includes('t=')) return
  const nowMicros = process.hrtime.bigint() / 1000n
  for (const [, sent] of chunk.toString('latin1').matchAll(SENT)) {
    if (sent !== undefined) tokenMs.push(Number(nowMicros - BigInt(sent)) / 1000)
  }
}

process.on('message', (job: Job) => {
  run(job).then(
    (outcome) => process.send?.(outcome),
    (error) => {
      throw error
    },
  )
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
