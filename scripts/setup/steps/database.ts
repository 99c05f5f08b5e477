// The D1 database that holds the ledger.
import { NotOurs, nullIfMissing } from '../problem.ts'
import type { Setup, Step } from '../setup-context.ts'
import { LOCATIONS } from '../setup-context.ts'

/** Two tables that only a ledger of this gateway has. */
const OURS = ['api_keys', 'holds']
/** Whom `npm run doctor` makes, to try a request with. */
const DOCTOR = 'doctor@example.com'

export const database: Step = {
  name: 'D1 database',
  why: 'holds customers, prices and the ledger; near the box, since every request asks it twice',
  rights: ['Account > D1 > Edit'],
  applies: () => true,

  async find(setup) {
    const { client, deployment } = setup
    const account_id = deployment.accountId
    if (deployment.database !== undefined) {
      const there = await client.d1.database.get(deployment.database.id, { account_id }).catch(nullIfMissing)
      if (there !== null) return deployment.database.name
      delete deployment.database
    }
    const name = deployment.worker
    for await (const one of client.d1.database.list({ account_id, name })) {
      if (one.name !== name || one.uuid === undefined) continue
      await refuseForeign(setup, one.uuid, name)
      deployment.database = { id: one.uuid, name }
      return name
    }
    return null
  },

  async make({ client, deployment, location }) {
    const name = deployment.worker
    const made = await client.d1.database.create({ account_id: deployment.accountId, name, primary_location_hint: location })
    deployment.database = { id: made.uuid as string, name }
    return `${name}, in ${LOCATIONS[location]}`
  },

  async check(setup) {
    await rows(setup, setup.deployment.database?.id ?? '', 'SELECT 1 AS one')
  },

  async undo({ client, deployment }) {
    if (deployment.database === undefined) return null
    await client.d1.database.delete(deployment.database.id, { account_id: deployment.accountId }).catch(nullIfMissing)
    delete deployment.database
    return null
  },
}

/** How many requests were ever settled there: what an undo would lose. */
export async function usageRows(setup: Setup): Promise<number> {
  const { database: made } = setup.deployment
  if (made === undefined || !(await tables(setup, made.id)).includes('usage')) return 0
  const [row] = await rows(setup, made.id, 'SELECT count(*) FROM usage')
  return Number(row?.[0] ?? 0)
}

export interface Offered {
  prices: number
  customers: number
  keys: number
}

/** What there is in the ledger for a first request; the doctor's own customer is none. */
export async function offered(setup: Setup): Promise<Offered> {
  const { database: made } = setup.deployment
  const there = made === undefined ? [] : await tables(setup, made.id)
  if (made === undefined || !['prices', 'customers', 'api_keys'].every((table) => there.includes(table)))
    return { prices: 0, customers: 0, keys: 0 }
  const [row = []] = await rows(
    setup,
    made.id,
    `SELECT (SELECT count(*) FROM prices), (SELECT count(*) FROM customers WHERE email <> '${DOCTOR}'),
(SELECT count(*) FROM api_keys JOIN customers ON customers.id = customer_id WHERE revoked_ms IS NULL AND email <> '${DOCTOR}')`,
  )
  const [prices, customers, keys] = row.map(Number)
  return { prices: prices ?? 0, customers: customers ?? 0, keys: keys ?? 0 }
}

async function refuseForeign(setup: Setup, id: string, name: string): Promise<void> {
  const there = await tables(setup, id)
  if (there.length === 0 || OURS.every((table) => there.includes(table))) return
  throw new NotOurs(
    `There is a D1 database ${name} that is not this gateway's (it has the tables ${there.slice(0, 3).join(', ')}). Give this set-up another name: --name my-gateway`,
  )
}

async function tables(setup: Setup, id: string): Promise<string[]> {
  const found = await rows(
    setup,
    id,
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
  )
  return found.map(([name]) => String(name))
}

async function rows({ client, deployment }: Setup, id: string, sql: string): Promise<unknown[][]> {
  const { result } = await client.d1.database.raw(id, { account_id: deployment.accountId, sql })
  return (result[0]?.results?.rows ?? []) as unknown[][]
}
