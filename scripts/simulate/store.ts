// What the simulation needs of a database.

export interface Statement {
  sql: string
  params: unknown[]
}

export type Row = Record<string, number | string | null>

export interface Result {
  success: true
  results: Row[]
  meta: { changes: number; rows_read: number; rows_written: number }
}

export interface Store {
  /** An empty database, as migrated, whose clock is `nowMs`. */
  begin(nowMs: () => number): Promise<void>
  /** One transaction: all or nothing, in order. Throws what the database says. */
  batch(statements: readonly Statement[]): Promise<Result[]>
  all(sql: string, params?: unknown[]): Promise<Row[]>
  /** What is set off in JavaScript has come to rest when this resolves. */
  rest(): Promise<void>
  /** Only where the ledger is broken on purpose: when a call is sent, and where it fails on the way. */
  sent?(statements: readonly Statement[]): void
  failed?(statements: readonly Statement[]): void
}
