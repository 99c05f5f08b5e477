// A file is checked whole before anything is done with it: its form, its order, its counts and its checksum.
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { z } from 'zod'
import { FORMAT_VERSION, proofLine, type Section, type Snapshot, section, snapshot } from './format.ts'
import { BadFile, readLines } from './read-lines.ts'

export interface Checked<Head> {
  head: Head
  /** Only backups have one. */
  snapshot: Snapshot | null
  sections: Section[]
  /** Rows by table. */
  counts: Record<string, number>
}

const isRow = (line: Buffer) => line[0] === 0x5b

/** Reads all of it. Throws BadFile, which names what is wrong and where. */
export async function checkFile<Head>(path: string, headShape: z.ZodType<Head>, what: 'backup' | 'archive'): Promise<Checked<Head>> {
  const hash = createHash('sha256')
  const found: Omit<Checked<Head>, 'head'> = { snapshot: null, sections: [], counts: {} }
  let head: Head | null = null
  let proof: z.infer<typeof proofLine> | null = null
  let number = 0
  // What is wrong with a line can be that the rest of it is missing: known when none follows.
  let wrong = false
  for await (const line of readLines(path)) {
    if (wrong || proof !== null) throw damaged(path, `line ${number} is not as it was written`)
    number += 1
    const value = parsed(line)
    if (number === 1) head = readHead(path, value, headShape, what)
    else {
      proof = proofLine.safeParse(value).data ?? null
      wrong = proof === null && !takeLine(found, value)
    }
    if (proof === null) hash.update(line).update('\n')
  }
  if (head === null) throw new BadFile(`${basename(path)} is empty: it is no ${what}.`)
  if (proof === null) throw new BadFile(`${basename(path)} was cut short: after line ${number} the rest is missing. Nothing was changed.`)
  if (proof.sha256 !== hash.digest('hex')) throw damaged(path, 'its checksum does not fit what is in it')
  if (!sameCounts(proof.counts, found.counts)) throw damaged(path, 'its counts do not fit its rows')
  return { head, ...found }
}

function damaged(path: string, why: string): BadFile {
  return new BadFile(`${basename(path)} is damaged: ${why}. Nothing was changed.`)
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString())
  } catch {
    return undefined
  }
}

function readHead<Head>(path: string, value: unknown, shape: z.ZodType<Head>, what: string): Head {
  const read = shape.safeParse(value)
  if (read.success) return read.data
  const { format, version } = (value ?? {}) as { format?: unknown; version?: unknown }
  if (format === `gateway-${what}` && typeof version === 'number' && version !== FORMAT_VERSION) {
    throw new BadFile(
      `${basename(path)} is of format ${version}, and this version reads format ${FORMAT_VERSION}: use the version that wrote it.`,
    )
  }
  throw new BadFile(`${basename(path)} is no ${what}: its first line is not that of one.`)
}

/** Adds a line to what was found; whether it can stand where it does. */
function takeLine(found: Omit<Checked<unknown>, 'head'>, value: unknown): boolean {
  const { sections, counts } = found
  if (Array.isArray(value)) {
    const last = sections.at(-1)
    if (last === undefined || value.length !== last.columns.length) return false
    counts[last.table] = (counts[last.table] ?? 0) + 1
    return true
  }
  const begun = section.safeParse(value)
  if (begun.success) {
    sections.push(begun.data)
    counts[begun.data.table] ??= 0
    return true
  }
  const moment = snapshot.safeParse(value)
  if (!moment.success || found.snapshot !== null) return false
  found.snapshot = moment.data
  return true
}

function sameCounts(a: Record<string, number>, b: Record<string, number>): boolean {
  const names = Object.keys({ ...a, ...b })
  return names.every((name) => a[name] === b[name])
}

const BATCH_ROWS = 500
/** D1 takes 2 MB a parameter. */
const BATCH_CHARS = 400_000

export interface RowBatch extends Section {
  /** Rows as the JSON arrays that they are in the file. */
  rows: string[]
}

/** The rows of the tables that are wanted, as they come, in batches that one statement takes. For a file that was checked. */
export async function* rowBatches(path: string, wanted: (table: string) => boolean): AsyncGenerator<RowBatch> {
  let current = null as RowBatch | null
  let chars = 0
  for await (const line of readLines(path)) {
    if (isRow(line)) {
      if (current === null) continue
      if (current.rows.length === BATCH_ROWS || (chars + line.length > BATCH_CHARS && chars > 0)) {
        yield current
        current = { ...current, rows: [] }
        chars = 0
      }
      current.rows.push(line.toString())
      chars += line.length
      continue
    }
    if (current !== null && current.rows.length > 0) yield current
    const next = section.safeParse(parsed(line))
    current = next.success && wanted(next.data.table) ? { ...next.data, rows: [] } : null
    chars = 0
  }
}
