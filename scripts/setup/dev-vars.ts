// What .dev.vars gives to the deployed Worker: the owner's own secrets. Read before anything is made.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { readSettings, SettingError } from '../start/settings.ts'
import { SetupError } from './problem.ts'

/** Those that the Worker knows beside the ones of Access, which set-up makes. */
export const OWN_SECRETS = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'STRIPE_WEBHOOK_SECRET', 'ALERT_SIGNING_SECRET']

/** The secrets that are there. Throws SetupError: half filled, or with a value that cannot be. */
export async function ownSecrets(directory: string): Promise<Record<string, string>> {
  const text = await readFile(join(directory, '.dev.vars'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  try {
    readSettings({}, text, false)
  } catch (error) {
    if (error instanceof SettingError) throw new SetupError(`.dev.vars: ${error.message} Nothing was made yet.`)
    throw error
  }
  const set = parseEnv(text)
  const found: Record<string, string> = {}
  for (const name of OWN_SECRETS) {
    const value = set[name]?.trim()
    if (!value) continue
    if (!/^[\x21-\x7e]{16,}$/.test(value)) {
      throw new SetupError(
        `.dev.vars: ${name} is not a whole key (${value.length} characters). Copy it again, or leave it empty. Nothing was made yet.`,
      )
    }
    found[name] = value
  }
  return found
}
