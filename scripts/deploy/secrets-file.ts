// --secrets-file: secrets that are set with the upload, from a file or standard input, so that none is on a command line.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseEnv } from 'node:util'
import { configOf } from '../../worker/config.ts'
import { type Io, UsageError } from '../admin/context.ts'
import { OWN_SECRETS } from '../setup/dev-vars.ts'

/** The Worker's secrets; everything else belongs into wrangler.toml [vars]. */
const SECRETS = [...OWN_SECRETS, 'CF_ACCESS_CLIENT_ID', 'CF_ACCESS_CLIENT_SECRET']

/** By name. @param file as .dev.vars is written; `-` is standard input. Throws UsageError, which holds no value. */
export async function readSecrets(file: string | undefined, { directory }: Io): Promise<Record<string, string>> {
  if (file === undefined) return {}
  const read = file === '-' ? text(process.stdin) : readFile(resolve(directory, file), 'utf8')
  const content = await read.catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--secrets-file: ${file} cannot be read (${error.code}).`)
  })
  const secrets = Object.fromEntries(Object.entries(parseEnv(content)).filter(([, value]) => value !== '')) as Record<string, string>
  const strange = Object.keys(secrets).find((name) => !SECRETS.includes(name))
  if (strange !== undefined) {
    throw new UsageError(
      `--secrets-file: ${strange} is no secret of the Worker: those are ${SECRETS.join(', ')}. Settings go into wrangler.toml [vars].`,
    )
  }
  try {
    configOf({ ...secrets })
  } catch (error) {
    throw new UsageError(`--secrets-file: ${(error as Error).message}`)
  }
  return secrets
}
