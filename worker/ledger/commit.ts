// One call of the ledger: the endings and asks of one request, or of several that met, in one D1 batch.
import { type Admitted, type Ask, admissionOf, admissionStatement } from './admission.ts'
import { retryTransient } from './retry.ts'
import { type Ending, postedOf, settlementStatements } from './settlement.ts'

export interface Committed {
  /** The ids of the endings whose hold stood until now. */
  posted: Set<string>
  /** One for each ask, in order; null where it got no hold. */
  admitted: (Admitted | null)[]
}

/**
 * Posts the endings, then decides the asks: what an ending frees, an ask of the same call may have. All or nothing, and idempotent: ids are
 * the tokens, so that a call whose reply was lost is made again as it is. Throws what D1 throws.
 */
export async function commit(db: D1Database, endings: readonly Ending[], asks: readonly Ask[]): Promise<Committed> {
  const settling = endings.length === 0 ? [] : settlementStatements(db, endings)
  const batch = [...settling, ...asks.map((ask) => admissionStatement(db, ask))]
  const results = await retryTransient(() => db.batch(batch))
  return {
    posted: settling.length === 0 ? new Set() : postedOf(results),
    admitted: asks.map((_, index) => admissionOf(results[settling.length + index])),
  }
}
