// D1 databases, and their statements, which are really run.
import { randomUUID } from 'node:crypto'
import { type Api, body, fail, need, ok, page } from '../envelope.ts'
import type { SqlResult, SqlStatement } from '../sqlite.ts'
import type { CloudflareState } from '../state.ts'

interface D1Database {
  uuid: string
  name: string
  created_at: string
  version: 'production'
  primary_location_hint: unknown
}

const LOCATIONS = ['wnam', 'enam', 'weur', 'eeur', 'apac', 'oc']

export function d1(api: Api, state: CloudflareState): void {
  const { engines } = state
  const databases = (account: string) => state.of<D1Database>('d1', account)
  const read = need(state, 'D1 Read')
  const write = need(state, 'D1 Write')
  const path = '/accounts/:account/d1/database'

  api.get(path, read, (c) => {
    const { name } = c.req.query()
    return page(
      c,
      [...databases(c.req.param('account')).values()].filter((one) => !name || one.name === name),
    )
  })
  api.post(path, write, async (c) => {
    const { name, primary_location_hint: hint } = await body(c)
    if (typeof name !== 'string' || name === '') return fail(c, 400, 7400, 'The request is malformed: name')
    if (hint !== undefined && !LOCATIONS.includes(hint as string))
      return fail(c, 400, 7400, 'The request is malformed: primary_location_hint')
    const there = databases(c.req.param('account'))
    if ([...there.values()].some((one) => one.name === name)) return fail(c, 400, 7502, `Database with name '${name}' already exists`)
    const made: D1Database = {
      uuid: randomUUID(),
      name,
      created_at: new Date().toISOString(),
      version: 'production',
      primary_location_hint: hint,
    }
    there.set(made.uuid, made)
    engines.set(made.uuid, state.openEngine(made.uuid))
    return ok(c, made)
  })
  api.get(`${path}/:id`, read, (c) => {
    const found = databases(c.req.param('account')).get(c.req.param('id'))
    return found ? ok(c, found) : fail(c, 404, 7404, 'The database could not be found')
  })
  api.delete(`${path}/:id`, write, (c) => {
    const id = c.req.param('id')
    if (!databases(c.req.param('account')).delete(id)) return fail(c, 404, 7404, 'The database could not be found')
    engines.get(id)?.close()
    engines.delete(id)
    return ok(c, null)
  })
  for (const form of ['raw', 'query'] as const) {
    api.post(`${path}/:id/${form}`, write, async (c) => {
      const engine = engines.get(c.req.param('id'))
      if (engine === undefined) return fail(c, 404, 7404, 'The database could not be found')
      const asked = (await body(c)) as unknown as { batch?: SqlStatement[] } & SqlStatement
      try {
        const results = await engine.run(asked.batch ?? [asked])
        return ok(
          c,
          results.map((one) => ({ success: true, meta: { changes: one.changes }, results: form === 'raw' ? raw(one) : rows(one) })),
        )
      } catch (error) {
        return fail(c, 400, 7500, `${(error as Error).message}: SQLITE_ERROR`)
      }
    })
  }
}

const raw = ({ columns, rows: all }: SqlResult) => ({ columns, rows: all })
const rows = ({ columns, rows: all }: SqlResult) => all.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])))
