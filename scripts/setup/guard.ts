// Tries the box's hostname as a stranger would: without the token nobody may get to Ollama.
import { readSecrets } from './secrets-file.ts'
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
    if (isRefusal(status)) return null
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

/** Null: Access lets the gateway's own token through, or it cannot be tried: the Worker alone has it. */
export async function tokenProblem(setup: Setup, hostname: string): Promise<string | null> {
  const { CF_ACCESS_CLIENT_ID: id, CF_ACCESS_CLIENT_SECRET: secret } = await readSecrets(setup.directory)
  if (setup.publicFetch === null || setup.dryRun || !id || !secret) return null
  let seen: number | string = ''
  for (let tried = 1; tried <= TRIES; tried++) {
    seen = await ask(setup.publicFetch, hostname, { 'CF-Access-Client-Id': id, 'CF-Access-Client-Secret': secret })
    if (!isRefusal(seen)) return null
    if (tried < TRIES) await setup.sleep(PAUSE_MS)
  }
  return `Cloudflare Access does not let the gateway's own service token through to ${hostname} (${seen}). Run npm run setup again in a minute; if it stays so, look at Zero Trust > Access > Policies.`
}

function isRefusal(status: number | string): boolean {
  return status === 302 || status === 401 || status === 403
}

async function ask(publicFetch: typeof fetch, hostname: string, headers: Record<string, string> = {}): Promise<number | string> {
  try {
    const answer = await publicFetch(`https://${hostname}/api/version`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
    await answer.body?.cancel()
    return answer.status
  } catch (error) {
    const { name, cause } = error as Error & { cause?: NodeJS.ErrnoException }
    return name === 'TimeoutError' ? 'no answer' : (cause?.code ?? 'no connection')
  }
}
