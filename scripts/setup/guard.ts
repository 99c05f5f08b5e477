// Tries the box's hostname as a stranger would: without the token nobody may get to Ollama.
import type { Setup } from './setup-context.ts'

const TRIES = 5
const PAUSE_MS = 3000
const TIMEOUT_MS = 10_000

interface Problem {
  /** A stranger gets through. */
  open: boolean
  message: string
}

/** Null: Access refuses, as it has to, or there is no edge to ask. */
export async function guardProblem(setup: Setup, hostname: string): Promise<Problem | null> {
  if (setup.publicFetch === null || setup.dryRun) return null
  let seen = ''
  for (let tried = 1; tried <= TRIES; tried++) {
    const status = await ask(setup.publicFetch, hostname)
    if (status === 302 || status === 401 || status === 403) return null
    if (typeof status === 'number' && status < 500 && status !== 404) {
      return {
        open: true,
        message: `https://${hostname} answers a stranger (${status}): Access does not guard it. Its DNS record was removed again. Look at Zero Trust > Access > Applications, then run npm run setup again.`,
      }
    }
    seen = String(status)
    if (tried === 1) setup.say(`       waiting for https://${hostname} to be known (${seen}) …`)
    if (tried < TRIES) await setup.sleep(PAUSE_MS)
  }
  return {
    open: false,
    message: `https://${hostname} is not to be seen from here yet (${seen}). A new DNS record and its certificate can take some minutes: run npm run setup again then, it tries it again.`,
  }
}

async function ask(publicFetch: typeof fetch, hostname: string): Promise<number | string> {
  try {
    const answer = await publicFetch(`https://${hostname}/api/version`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    await answer.body?.cancel()
    return answer.status
  } catch (error) {
    const { name, cause } = error as Error & { cause?: NodeJS.ErrnoException }
    return name === 'TimeoutError' ? 'no answer' : (cause?.code ?? 'no connection')
  }
}
