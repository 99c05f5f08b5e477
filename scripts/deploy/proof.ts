// The ledger's proofs around a deploy.
import { type Proven, proveLedger } from '../../worker/ledger/proofs.ts'
import { findingsOf, INSERT_VERIFICATION, verificationJson } from '../../worker/ledger/verification.ts'
import type { Database } from '../database/database.ts'

const SILENCE_MS = 2_000

export interface Proof {
  findings: number
  /** The names of the proofs that do not hold, with how many rows disagree. */
  wrong: string[]
}

/** Proves the ledger; says every two seconds what is being proved. Throws DatabaseError. @param record keeps the result, which /health shows */
export async function proveDeployed(db: Database, say: (line: string) => void, { record }: { record: boolean }): Promise<Proof> {
  let current = ''
  const timer = setInterval(() => say(`  proving: ${current} …`), SILENCE_MS)
  const startMs = performance.now()
  try {
    const asking = (proof: string) => {
      current = proof
    }
    const proven = await proveLedger((sql) => db.all(sql), { asking })
    if (record) await db.all(INSERT_VERIFICATION, [verificationJson(proven, performance.now() - startMs)])
    return summary(proven)
  } finally {
    clearInterval(timer)
  }
}

function summary(proven: readonly Proven[]): Proof {
  const wrong = proven.filter(({ disagreeing }) => disagreeing.length > 0)
  return { findings: findingsOf(proven), wrong: wrong.map(({ proof, disagreeing }) => `${proof} (${disagreeing.length})`) }
}
