// What the checks share: what the world gives them, and what one has found for the next.

import { adminCommand } from '../admin/next-command.ts'
import type { Database } from '../database/database.ts'
import type { OpenDatabase } from '../database/open.ts'
import { type Asked, ask } from './ask.ts'
import { DIALECTS, firstModel, tryDialect } from './dialects.ts'
import { bad, type Check, type Finding, ok, skipped } from './finding.ts'
import { type LentKey, lendKey } from './key.ts'
import { askProof } from './ledger.ts'

export interface Session {
  /** A deployed gateway's, not that of this machine. */
  remote: boolean
  fetch: typeof fetch
  nowMs(): number
  /** Where customers call, without a slash at its end. */
  baseUrl: string
  /** The text of --key-file, or of GATEWAY_KEY. */
  givenKey: string | null
  /** --model. */
  givenModel: string | null
  /** Once it is open. */
  db: Database | null
  lent: LentKey | null
  /** Once prices were looked at: whether any model can be offered. */
  hasModels: boolean
  /** What /health said. */
  health: Asked | null
}

export async function askHealth(session: Session): Promise<Asked> {
  session.health = await ask(session.fetch, `${session.baseUrl}/health`, { nowMs: session.nowMs })
  return session.health
}

/** What the proofs said last. */
export const LEDGER_CHECK: Check<Session> = {
  name: 'ledger',
  title: 'ledger',
  needs: ['database'],
  run: async (session) => askProof(opened(session), session.nowMs(), adminCommand(session, 'verify-ledger')),
}

/** The key, and with it a token of each dialect: the same for a gateway here and for a deployed one. */
export const TOKEN_CHECKS: readonly Check<Session>[] = [
  {
    name: 'key',
    title: 'customer key',
    needs: ['gateway', 'host'],
    async run(session) {
      const { finding, lent } = await lendKey(session.givenKey, session)
      session.lent = lent
      return finding
    },
  },
  { name: 'tokens', title: 'metered token', needs: ['gateway', 'host', 'key'], run: tryTokens },
]

async function tryTokens({ remote, lent, fetch, baseUrl, givenModel, hasModels }: Session): Promise<Finding[]> {
  if (!hasModels) return [skipped('prices')]
  const asking = { remote, fetch, baseUrl, key: (lent as LentKey).key }
  const model = givenModel ?? (await firstModel(asking))
  if (model === null)
    return [
      bad('this key may chat with no model', `${adminCommand({ remote }, 'list-models')} shows what each needs; or say --model NAME.`),
    ]
  const findings: Finding[] = []
  for (const dialect of DIALECTS) findings.push(await tryDialect(asking, model, dialect))
  return findings.every(({ level }) => level === 'ok') ? [...findings, ok(`all by ${model}`)] : findings
}

/** Of a check that needs `database`. */
export function opened({ db }: Session): Database {
  if (db === null) throw new Error('the database is not open')
  return db
}

/** Later checks have it only where it is as it should be. */
export async function useDatabase(session: Session, { db }: OpenDatabase, look: (db: Database) => Promise<Finding>): Promise<Finding> {
  const finding = await look(db)
  if (finding.blocks) await db.close()
  else session.db = db
  return finding
}

/** Where none has a price, or none is there, no token can come. */
export async function notePrices(session: Session, asked: Promise<Finding>): Promise<Finding> {
  const finding = await asked
  session.hasModels = finding.level !== 'error'
  return finding
}
