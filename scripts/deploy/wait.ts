// Waits until the world sees a version at the public address.
import { setTimeout as sleep } from 'node:timers/promises'

const ASK_EVERY_MS = 500
const SAY_EVERY_MS = 2_000
const PATIENCE_MS = 10_000
/** So many answers in a row: what one place of the edge has, another may not have yet. */
const IN_A_ROW = 3

export interface Wait {
  hostname: string
  /** Cloudflare's id, as /health tells it. */
  versionId: string
  limitMs: number
  fetch: typeof fetch
  say(line: string): void
  /** Ends the waiting. */
  signal?: AbortSignal | undefined
}

/** null: it answers. Otherwise what it answered last, in words. */
export async function waitForVersion({ hostname, versionId, limitMs, fetch, say, signal }: Wait): Promise<string | null> {
  const startMs = performance.now()
  let saidMs = startMs
  let inARow = 0
  let last = 'nothing yet'
  for (;;) {
    last = await askHealth(fetch, hostname, versionId)
    inARow = last === 'ok' ? inARow + 1 : 0
    if (inARow >= IN_A_ROW) return null
    const nowMs = performance.now()
    if (nowMs - startMs > limitMs || signal?.aborted) return last
    if (last !== 'ok' && nowMs - saidMs >= SAY_EVERY_MS) {
      saidMs = nowMs
      say(`  https://${hostname}/health, ${Math.round((nowMs - startMs) / 1000)} s: ${last} …`)
    }
    await sleep(last === 'ok' ? 50 : Math.min(ASK_EVERY_MS, limitMs), null, { signal }).catch(() => {})
  }
}

/** `ok`, or what is not. */
async function askHealth(fetch: Wait['fetch'], hostname: string, versionId: string): Promise<string> {
  try {
    const answer = await fetch(`https://${hostname}/health`, { signal: AbortSignal.timeout(PATIENCE_MS) })
    const text = await answer.text()
    const health = parse(text)
    if (health === null) return `HTTP ${answer.status}, not from the gateway`
    if (health.deployment !== versionId) return 'the version before answers'
    return answer.status === 200 ? 'ok' : `HTTP ${answer.status}: database ${health.database}, schema ${health.schema}`
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException }
    return name === 'TimeoutError' ? 'no answer' : (cause?.code ?? message)
  }
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as Record<string, unknown>
    return typeof value === 'object' && value !== null && 'gateway' in value ? value : null
  } catch {
    return null
  }
}
