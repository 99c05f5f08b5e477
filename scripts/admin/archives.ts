// Months whose requests were moved to a file, as several commands look them up.
import type { Database } from '../database/database.ts'
import { dayName, iso, usd } from './table.ts'

export interface Archive {
  /** 2026-08. */
  month: string
  requests: number
  cost_usd: string
  /** Its name when it was written, without a folder. */
  file: string
  sha256: string
  archived_at: string
}

/** All of them, oldest first, or those that have a day in the range, ends included. */
export async function archivedIn(db: Database, startDay = 0, endDay = Number.MAX_SAFE_INTEGER): Promise<Archive[]> {
  const rows = await db.all(
    `SELECT month, requests, CAST(cost_nano AS TEXT) AS cost, file, sha256, created_ms FROM archives
     WHERE next_month > CAST(?1 AS INTEGER) AND month <= CAST(?2 AS INTEGER) ORDER BY month`,
    [startDay, endDay],
  )
  return rows.map(({ month, requests, cost, file, sha256, created_ms }) => ({
    month: dayName(Number(month)).slice(0, 7),
    requests: Number(requests),
    cost_usd: usd(String(cost)),
    file: String(file),
    sha256: String(sha256),
    archived_at: iso(Number(created_ms)),
  }))
}

/** "2026-07 is archived in a.jsonl, 2026-08 in b.jsonl". */
export function archivedText(archives: readonly Archive[]): string {
  return archives.map(({ month, file }, index) => `${month} ${index === 0 ? 'is archived ' : ''}in ${file}`).join(', ')
}
