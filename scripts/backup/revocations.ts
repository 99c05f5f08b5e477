// Keys that were ended, beside the state of the machine that gives the commands: a backup has its keys as they were, and one that was revoked or
// rotated after it must not come alive again. One JSON object a line: {"hash":"…","revoked_ms":1795132800000,"expires_ms":null}
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { Context } from '../admin/context.ts'
import type { Statement } from '../database/database.ts'
import { stateDirOf } from '../database/open.ts'
import { BadFile } from './read-lines.ts'

const line = z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/), revoked_ms: z.int().nullable(), expires_ms: z.int().nullable() })

/** When a key ended, or is to end, by its hash. */
export type KeyEnd = z.infer<typeof line>

export function revocationsPath(environment: Record<string, string | undefined>): string {
  return join(stateDirOf(environment), 'revocations.jsonl')
}

/** Appends how a key ends, as the database has it by now. Where that cannot be written, it is said: the key has ended all the same. */
export async function noteKeyEnd({ db, io }: Pick<Context, 'db' | 'io'>, keyId: number): Promise<void> {
  const [row] = await db.all('SELECT hash, revoked_ms, expires_ms FROM api_keys WHERE id = ?', [keyId])
  const path = revocationsPath(io.environment)
  try {
    await mkdir(stateDirOf(io.environment), { recursive: true })
    await appendFile(path, `${JSON.stringify(row)}\n`, { mode: 0o600 })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? error
    io.err(
      `warning: key ${keyId} could not be noted in ${path} (${code}): an older backup would bring it back; revoke it again after a restore.\n`,
    )
  }
}

/** How each key in the file ends, at its earliest; null where there is no file. Throws BadFile. */
export async function readKeyEnds(path: string): Promise<KeyEnd[] | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new BadFile(`--revocations: cannot read ${path} (${(error as NodeJS.ErrnoException).code}).`)
  }
  const ends = new Map<string, KeyEnd>()
  for (const [index, one] of text.split('\n').entries()) {
    if (one === '') continue
    const end = readLine(one)
    if (end === null)
      throw new BadFile(`--revocations: line ${index + 1} of ${path} is none of ours: mend or remove it. Nothing was changed.`)
    const known = ends.get(end.hash)
    ends.set(end.hash, {
      hash: end.hash,
      revoked_ms: earlier(known?.revoked_ms ?? null, end.revoked_ms),
      expires_ms: earlier(known?.expires_ms ?? null, end.expires_ms),
    })
  }
  return [...ends.values()]
}

function readLine(text: string): KeyEnd | null {
  try {
    return line.parse(JSON.parse(text))
  } catch {
    return null
  }
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}

/** Ends the keys that are there, never later than they would have ended; a row for each that it changed. */
export function endKeysStatement(ends: readonly KeyEnd[]): Statement {
  return {
    sql: `WITH ends AS (SELECT value ->> 'hash' AS hash, value ->> 'revoked_ms' AS revoked_ms, value ->> 'expires_ms' AS expires_ms FROM json_each(?1))
      UPDATE api_keys SET revoked_ms = coalesce(min(api_keys.revoked_ms, e.revoked_ms), api_keys.revoked_ms, e.revoked_ms),
        expires_ms = coalesce(min(api_keys.expires_ms, e.expires_ms), api_keys.expires_ms, e.expires_ms)
      FROM ends e WHERE e.hash = api_keys.hash
        AND (e.revoked_ms < coalesce(api_keys.revoked_ms, 9000000000000000) OR e.expires_ms < coalesce(api_keys.expires_ms, 9000000000000000))
      RETURNING api_keys.id`,
    params: [JSON.stringify(ends)],
  }
}
