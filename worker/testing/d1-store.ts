// Test support: the simulation's database as a real D1 in workerd.
import { env } from 'cloudflare:workers'
import type { Result, Row, Statement, Store } from '../../scripts/simulate/store.ts'

const { setTimeout: setRealTimeout } = globalThis

/** D1 has no clock that can be set, so the time is written into each statement that asks for it. */
export class D1Store implements Store {
  #nowMs: () => number = () => 0

  async begin(nowMs: () => number): Promise<void> {
    this.#nowMs = nowMs
    const { results } = await env.DB.prepare(
      "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'trigger') AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY type DESC, rowid DESC",
    ).all<{ type: string; name: string }>()
    const drops = results.map(({ type, name }) => `DROP ${type} ${name}`)
    const migrations = env.TEST_MIGRATIONS.flatMap(({ queries }) => queries)
    await env.DB.batch([...drops, ...migrations].map((sql) => env.DB.prepare(sql)))
  }

  async batch(statements: readonly Statement[]): Promise<Result[]> {
    return (await env.DB.batch<Row>(statements.map((statement) => this.#prepared(statement)))) as unknown as Result[]
  }

  async all(sql: string, params: unknown[] = []): Promise<Row[]> {
    return (await this.#prepared({ sql, params }).all<Row>()).results
  }

  rest(): Promise<void> {
    return new Promise((resolve) => setRealTimeout(resolve, 0))
  }

  #prepared({ sql, params }: Statement): D1PreparedStatement {
    const nowMs = this.#nowMs()
    const set = sql.replaceAll("unixepoch('subsec')", `(${nowMs} / 1000.0)`).replaceAll('unixepoch()', String(Math.floor(nowMs / 1000)))
    return env.DB.prepare(set).bind(...params)
  }
}
