// What is done once a night: the ledger is proved, and old alerts go.
import { pruneAlerts } from './alerts/prune.ts'
import { findingsOf, verify } from './ledger/verification.ts'
import { causeOf, log } from './log.ts'

/**
 * As in wrangler.toml: a quarter to midnight, UTC. The proofs read each usage row several times; where a plan has only so many rows a day, and those
 * are used up, the next day's come soon.
 */
export const NIGHTLY_CRON = '45 23 * * *'

/** Never throws: what went wrong is in the log, and the last result stands as old as it is. */
export async function nightly(db: D1Database): Promise<void> {
  try {
    const proven = await verify(db)
    const findings = findingsOf(proven)
    log({ event: 'verified', findings, proofs: proven.length })
    for (const { proof, disagreeing } of proven)
      if (disagreeing.length > 0)
        log({ event: 'error', code: 'verification_failed', proof, findings: disagreeing.length, first: JSON.stringify(disagreeing[0]) })
  } catch (error) {
    log({ event: 'error', code: 'verification_not_done', message: causeOf(error) })
  }
  try {
    const gone = await pruneAlerts(db, Date.now())
    if (gone > 0) log({ event: 'alerts_pruned', gone })
  } catch (error) {
    log({ event: 'error', code: 'alerts_not_pruned', message: causeOf(error) })
  }
}
