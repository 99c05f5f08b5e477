// Whether a service token is really let in: at the box's own name, and through the gateway.
import { isAccessRefusal } from '../../worker/host-trouble.ts'
import { Failure } from '../admin/context.ts'
import { type Asked, ask, jsonIn } from '../doctor/ask.ts'

interface Trial {
  fetch: typeof fetch
  sleep(ms: number): Promise<void>
  say(line: string): void
}

/** A policy that was changed takes some seconds to be known everywhere. */
const TRIES = 30
const PAUSE_MS = 2_000
/** So often in a row: one place of the edge may know what another does not yet. */
const IN_A_ROW = 2

/** Throws Failure: it is not let in, and what is there now. */
export async function tryHost(trial: Trial, hostname: string, token: { clientId: string; clientSecret: string }): Promise<void> {
  const headers = { 'CF-Access-Client-Id': token.clientId, 'CF-Access-Client-Secret': token.clientSecret }
  const state = async () => letInState(await ask(trial.fetch, `https://${hostname}/api/version`, { headers }))
  const last = await untilWell(trial, state)
  if (last !== null) {
    throw new Failure(
      `The new token is not let in at ${hostname}: ${last}. The Worker goes on with the one it has; run it again, which makes another.`,
    )
  }
}

/** Behind Access a box that is off is no reason to stop: a token that leaked is changed all the same. */
function letInState(asked: Asked): string | null {
  if ('silent' in asked) return asked.silent
  return isAccessRefusal(asked) ? `Access answers ${asked.status}` : null
}

/** Throws Failure: the gateway is not let in with what it has now. */
export async function tryThroughGateway(trial: Trial, hostname: string): Promise<void> {
  const last = await untilWell(trial, async () => {
    const asked = await ask(trial.fetch, `https://${hostname}/health/ollama`)
    if ('silent' in asked) return asked.silent
    const { state, cause } = (jsonIn(asked) ?? {}) as { state?: string; cause?: string | null }
    if (state === undefined) return `/health/ollama answers ${asked.status}`
    return cause === 'access' ? 'Access refuses the gateway' : null
  })
  if (last !== null)
    throw new Failure(`The gateway is not let in with the new token: ${last}. Both tokens are kept; run it again, and see npm run doctor.`)
}

/** null, or what was wrong last. */
async function untilWell({ sleep, say }: Trial, state: () => Promise<string | null>): Promise<string | null> {
  let last: string | null = null
  for (let tried = 1, inARow = 0; tried <= TRIES; tried++) {
    last = await state()
    inARow = last === null ? inARow + 1 : 0
    if (inARow >= IN_A_ROW) return null
    if (last === null) continue
    if (tried > 1) say(`  ${last} …`)
    await sleep(PAUSE_MS)
  }
  return last ?? 'not twice in a row'
}
