// The file of a backup and of an archive: JSON lines. A head, rows as arrays under the name of their table, and a last line that proves the rest:
//   {"format":"gateway-backup","version":1,"migrations":["0001_ledger.sql",…],…}
//   {"table":"usage","columns":["customer_id","id",…]}
//   [1,"0197a…",…]
//   {"asOf":…,"sequences":{"customers":2,…}}        (backups only: what follows is of one moment, and so is all that came before)
//   {"counts":{"usage":1,…},"sha256":"…"}           (of all lines before this one, each with its newline)
import { createHash, type Hash } from 'node:crypto'
import * as z from 'zod'

export const FORMAT_VERSION = 1

const common = { version: z.literal(FORMAT_VERSION), writtenAt: z.iso.datetime() }

export const backupHead = z.object({
  format: z.literal('gateway-backup'),
  ...common,
  /** Applied when it was taken, in order. */
  migrations: z.array(z.string()).min(1),
  /** Tables of which the rows that were final came first, page by page. */
  paged: z.array(z.string()),
  /** The keys, and what refers to them: loaded last, so that nobody is admitted before all is there. */
  last: z.array(z.string()),
})
export type BackupHead = z.infer<typeof backupHead>

export const archiveHead = z.object({
  format: z.literal('gateway-archive'),
  ...common,
  /** YYYY-MM. */
  month: z.string(),
  /** The last one applied, which says what the columns mean. */
  migration: z.string(),
})

export const section = z.object({ table: z.string().regex(/^\w+$/), columns: z.array(z.string().regex(/^\w+$/)).min(1) })
export type Section = z.infer<typeof section>

export const snapshot = z.object({ asOf: z.iso.datetime(), sequences: z.record(z.string(), z.int()) })
export type Snapshot = z.infer<typeof snapshot>

export const proofLine = z.object({ counts: z.record(z.string(), z.int().min(0)), sha256: z.string().regex(/^[0-9a-f]{64}$/) })

/** Makes the lines of a file, and its last one. */
export class LineMaker {
  readonly #hash: Hash = createHash('sha256')
  readonly counts: Record<string, number> = {}
  #table = ''

  object(value: object): string {
    return this.#hashed(`${JSON.stringify(value)}\n`)
  }

  section({ table, columns }: Section): string {
    this.#table = table
    this.counts[table] ??= 0
    return this.object({ table, columns })
  }

  /** Rows of the last section, as the JSON arrays that the database made. */
  rows(rows: readonly string[]): string {
    if (rows.length === 0) return ''
    this.counts[this.#table] = (this.counts[this.#table] ?? 0) + rows.length
    return this.#hashed(`${rows.join('\n')}\n`)
  }

  proof(): string {
    return `${JSON.stringify({ counts: this.counts, sha256: this.#hash.digest('hex') })}\n`
  }

  #hashed(text: string): string {
    this.#hash.update(text)
    return text
  }
}
