// A file is checked whole before anything is done with it: its form, its order, its counts and its checksum.
import { createHash } from 'node:crypto'
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
  const checked: Omit<Checked<Head>, 'head'> = { snapshot: null, sections: [], counts: {} }
  let head: Head | null = null
  let proof: z.infer<typeof proofLine> | null = null
  let number = 0
  const damaged = () => new BadFile(`${path} is damaged in line ${number}: it is not as it was written. Nothing was changed.`)
  // What a line is wrong with can be that the rest of it is missing: known when no line follows.
  let wrong: Error | null = null
  for await (const line of readLines(path)) {
    if (wrong !== null) throw wrong
    if (proof !== null) throw damaged()
    number += 1
    const value = parsed(line)
    if (number === 1) head = readHead(path, value, headShape, what)
    else if (value === undefined) wrong = damaged()
    else if (isRow(line)) countRow(checked, value) || (wrong = damaged())
    else if (proofLine.safeParse(value).success) proof = proofLine.parse(value)
    else if (section.safeParse(value).success) {
      const found = section.parse(value)
      checked.sections.push(found)
      checked.counts[found.table] ??= 0
    } else if (snapshot.safeParse(value).success && checked.snapshot === null) checked.snapshot = snapshot.parse(value)
    else wrong = damaged()
    if (proof === null) hash.update(line).update('\n')
  }
  if (head === null) throw new BadFile(`${path} is empty: it is no ${what}.`)
  if (proof === null) throw new BadFile(`${path} was cut short: after line ${number} the rest is missing. Nothing was changed.`)
  if (proof.sha256 !== hash.digest('hex')) {
    throw new BadFile(`${path} is damaged: its checksum does not fit what is in it. Nothing was changed.`)
  }
  if (!sameCounts(proof.counts, checked.counts))
    throw new BadFile(`${path} is damaged: its counts do not fit its rows. Nothing was changed.`)
  return { head, ...checked }
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
    throw new BadFile(`${path} is of format ${version}, and this version reads format ${FORMAT_VERSION}: use the version that wrote it.`)
  }
  throw new BadFile(`${path} is no ${what}: its first line is not that of one.`)
}

/** Whether the row belongs to a section and is as wide as that. */
function countRow({ sections, counts }: Pick<Checked<unknown>, 'sections' | 'counts'>, row: unknown): boolean {
  const last = sections.at(-1)
  if (last === undefined || (row as unknown[]).length !== last.columns.length) return false
  counts[last.table] = (counts[last.table] ?? 0) + 1
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
