// Test support: customers who ask all the while, so that a rotation that refuses one of them is seen.
import { setTimeout as sleep } from 'node:timers/promises'

export interface Load {
  /** How many were answered so far. */
  answered(): number
  /** Ends it. Returns what was not answered as it should be. */
  stop(): Promise<string[]>
}

const CALLERS = 4
const PAUSE_MS = 10

/** A few callers who ask one request after the other, streamed and not. @param key asked for each request, for it may change */
export function startLoad(fetch: typeof globalThis.fetch, baseUrl: string, key: () => string, model = 'gemma3:270m'): Load {
  const failed: string[] = []
  let answered = 0
  let stopped = false
  async function call(stream: boolean): Promise<void> {
    while (!stopped) {
      try {
        const response = await fetch(`${baseUrl}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key()}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 4, stream }),
        })
        const text = await response.text()
        const whole = stream ? text.trimEnd().endsWith('data: [DONE]') : text.includes('"choices"')
        if (response.status !== 200 || !whole) failed.push(`${response.status} ${text.slice(0, 300)}`)
        answered += 1
      } catch (error) {
        failed.push(String((error as Error).cause ?? error))
      }
      await sleep(PAUSE_MS)
    }
  }
  const callers = Array.from({ length: CALLERS }, (_, index) => call(index % 2 === 0))
  return {
    answered: () => answered,
    async stop() {
      stopped = true
      await Promise.all(callers)
      return failed
    },
  }
}
