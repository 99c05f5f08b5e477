// What the proofs said, as it is kept: one row each time they ran.
import { type Proven, proveLedger } from './proofs.ts'

/** The most rows that are kept of all that disagrees, and that are asked for of each proof at night. */
const FINDINGS_MAX = 100

/** The statement that keeps it. `?1` is `verificationJson`. */
export const INSERT_VERIFICATION = `INSERT INTO verifications (ok, findings, report, took_ms, created_ms)
SELECT ?1 ->> 'findings' = 0, ?1 ->> 'findings', ?1 -> 'report', ?1 ->> 'tookMs', CAST(unixepoch('subsec') * 1000 AS INTEGER)`

export function findingsOf(proven: readonly Proven[]): number {
  return proven.reduce((sum, { disagreeing }) => sum + disagreeing.length, 0)
}

/** The report names each proof that does not hold, how many rows it has, and as many of them as there is room for. */
export function verificationJson(proven: readonly Proven[], tookMs: number): string {
  let left = FINDINGS_MAX
  const report = proven.flatMap(({ proof, disagreeing }) => {
    if (disagreeing.length === 0) return []
    const rows = disagreeing.slice(0, left)
    left -= rows.length
    return [{ proof, findings: disagreeing.length, rows }]
  })
  return JSON.stringify({ findings: findingsOf(proven), report, tookMs: Math.round(tookMs) })
}

/** Proves the ledger and keeps the result. Of a proof that many rows disagree with, FINDINGS_MAX are counted. Throws what D1 throws. */
export async function verify(db: D1Database): Promise<Proven[]> {
  const startMs = Date.now()
  const proven = await proveLedger(async (sql) => (await db.prepare(sql).all()).results, { most: FINDINGS_MAX })
  await db
    .prepare(INSERT_VERIFICATION)
    .bind(verificationJson(proven, Date.now() - startMs))
    .run()
  return proven
}

export interface Verification {
  ok: boolean
  findings: number
  atMs: number
}

/** The last one; null: there was none. */
export async function lastVerification(db: D1Database): Promise<Verification | null> {
  const row = await db.prepare('SELECT ok, findings, created_ms FROM verifications ORDER BY id DESC LIMIT 1').first<{
    ok: number
    findings: number
    created_ms: number
  }>()
  return row === null ? null : { ok: row.ok === 1, findings: row.findings, atMs: row.created_ms }
}
