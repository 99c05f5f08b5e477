// The backup that an upgrade takes before it changes something.
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Failure, type Io } from '../admin/context.ts'
import { progress } from '../backup/progress.ts'
import { takeBackup } from '../backup/snapshot.ts'
import { wholeFile } from '../backup/write-file.ts'
import type { Database } from '../database/database.ts'

export interface BackupTaken {
  /** As it was named: where the command was given. */
  file: string
  rows: number
  asOf: string
}

/** gateway-2026-11-29T043507Z.jsonl.gz */
export function backupName(nowMs: number): string {
  return `gateway-${new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '')}Z.jsonl.gz`
}

/** Throws Failure, also where the file exists: a backup is never replaced by a later one. */
export async function backUp(db: Database, name: string, io: Io): Promise<BackupTaken> {
  const path = resolve(io.directory, name)
  if ((await stat(path).catch(() => null)) !== null) throw new Failure(`--backup: ${name} exists; choose another name.`)
  const file = await wholeFile(path)
  try {
    const { counts, asOf } = await takeBackup(db, file.write, progress(io.err, 'rows read'))
    await file.finish()
    return { file: name, rows: Object.values(counts).reduce((all, one) => all + one, 0), asOf }
  } catch (error) {
    await file.abandon()
    throw error
  }
}
