// Cloudflare Access before the box: who does not bring the token must not come through to Ollama.
import { randomBytes } from 'node:crypto'
import { isAccessRefusal } from '../../worker/host-trouble.ts'
import { type Asked, ask } from './ask.ts'
import { bad, type Finding, ok } from './finding.ts'

/** What is asked of the box: every Ollama answers, and nothing is told that matters. */
const PATH = '/api/version'

/** Asks the box as strangers do: without a token, and with one that nobody has made. */
export async function askAsStranger(fetch: typeof globalThis.fetch, hostname: string): Promise<Finding[]> {
  const wrong = {
    'CF-Access-Client-Id': `${randomBytes(16).toString('hex')}.access`,
    'CF-Access-Client-Secret': randomBytes(32).toString('hex'),
  }
  const without = await ask(fetch, `https://${hostname}${PATH}`)
  const first = judgeStranger(without, hostname, 'no token')
  if ('silent' in without) return [first]
  return [first, judgeStranger(await ask(fetch, `https://${hostname}${PATH}`, { headers: wrong }), hostname, 'a wrong token')]
}

export function judgeStranger(asked: Asked, hostname: string, brings: string): Finding {
  if ('silent' in asked)
    return bad(`with ${brings}: ${hostname} does not answer: ${asked.silent}`, 'Look at the DNS record of that name, and try again.')
  if (isAccessRefusal(asked)) return ok(`with ${brings} nobody comes to Ollama: Access answers ${asked.status}`)
  const close = `Take the DNS record of ${hostname} away at once, then run npm run setup, which makes the Access application first.`
  if (isOllama(asked)) return bad(`with ${brings} ANYBODY REACHES OLLAMA at ${hostname}: nothing of it is metered`, close)
  return bad(
    `with ${brings} it is not Access that answers at ${hostname}, but something behind it (${asked.status})`,
    `${close} The Access application has to cover this name.`,
  )
}

/** It tells its version, or refuses the Host header without a word: both are Ollama itself. */
function isOllama({ status, text }: { status: number; text: string }): boolean {
  return (status === 200 && /"version"|"models"|Ollama is running/.test(text)) || (status === 403 && text === '')
}
