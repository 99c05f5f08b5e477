// A clock that is set: the ledger's statements read it in place of SQLite's own, so that what happens now is dated in a month that is over.

/** How far the clock is from the real one, in whole seconds; below zero: in the past. */
export interface Clock {
  aheadSeconds: number
}

const READS = /unixepoch\(\s*(?:'subsec')?\s*\)/g
const OTHERWISE = /'now'|\bcurrent_(?:timestamp|date|time)\b/i

/** The statement with its clock moved. Throws where it reads the time in a way that this does not move: a wrong date is worse than none. */
export function movedSql(sql: string, { aheadSeconds }: Clock): string {
  if (OTHERWISE.test(sql)) throw new Error(`a statement reads a clock that is not moved: ${sql}`)
  return sql.replace(READS, (read) => `(${read} + (${aheadSeconds}))`)
}

/** The same database, by another clock. */
export function movedDatabase(db: D1Database, clock: Clock): D1Database {
  return new Proxy(db, {
    get(_, name: keyof D1Database) {
      if (name === 'prepare') return (sql: string) => db.prepare(movedSql(sql, clock))
      const member = db[name]
      return typeof member === 'function' ? member.bind(db) : member
    },
  })
}
