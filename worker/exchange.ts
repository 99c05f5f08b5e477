// What one request has at hand, wherever it goes: its id, the database, the settings, and what runs on after the answer.
import type { Config } from './config.ts'
import type { Group } from './ledger/group.ts'

export interface Exchange {
  request: Request
  /** UUIDv7. */
  requestId: string
  db: D1Database
  /** Where requests of this isolate meet on their way to the ledger. */
  ledger: Group
  config: Config
  /** Keeps the Worker alive until the promise is done: after the answer ended, for 30 s at most. */
  defer(work: Promise<unknown>): void
}
