// .dev.vars.deploy: secrets on their way to the Worker. Only the owner can read it, git ignores it, and it goes once the Worker has them.
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

const SECRETS_FILE = '.dev.vars.deploy'

export async function readSecrets(directory: string): Promise<Record<string, string>> {
  const text = await readFile(join(directory, SECRETS_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return parseEnv(text) as Record<string, string>
}

/** Adds to what is there. */
export async function addSecrets(directory: string, secrets: Record<string, string>): Promise<void> {
  const all = { ...(await readSecrets(directory)), ...secrets }
  const lines = Object.entries(all).map(([name, value]) => `${name}=${quoted(value)}`)
  await writePrivate(join(directory, SECRETS_FILE), `${lines.join('\n')}\n`)
}

export async function forgetSecrets(directory: string): Promise<void> {
  await rm(join(directory, SECRETS_FILE), { force: true })
}

/** Whole or not at all, and never readable to others, not for a moment either. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const half = `${path}.${randomUUID()}`
  try {
    await writeFile(half, text, { flag: 'wx', mode: 0o600 })
    await rename(half, path)
  } finally {
    await rm(half, { force: true })
  }
}

function quoted(value: string): string {
  if (/^[\w./+=:-]*$/.test(value)) return value
  return value.includes("'") ? `"${value}"` : `'${value}'`
}
