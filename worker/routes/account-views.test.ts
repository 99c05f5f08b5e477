// Use by day, model and key, and requests page by page: what a key sees, what an account's key sees, and what nobody else does.
import { env } from 'cloudflare:workers'
import { v7 } from 'uuid'
import { beforeAll, expect, test } from 'vitest'
import { app } from '../app.ts'
import { admit, askOf, db, endingOf, makeCustomer, makeKey, migrate, setPrice, settle, type TestKey, usd } from '../testing/ledger.ts'
import { type AccountRequests, accountRequest, accountRequests, accountUsage } from './account-shapes.ts'

let key: TestKey
let other: TestKey
let all: TestKey
let stranger: TestKey
const ids: string[] = []

beforeAll(async () => {
  await migrate()
  await setPrice('*', { request: '0.1' })
  const customer = await makeCustomer()
  key = await makeKey(customer)
  other = await makeKey(customer)
  all = await makeKey(customer)
  stranger = await makeKey(await makeCustomer())
  await db.prepare("UPDATE api_keys SET account = 1, name = '=cmd' WHERE id = ?").bind(all.id).run()
  for (const [who, date, model] of [
    [key, '2026-03-01', 'a:latest'],
    [key, '2026-03-02', 'b:latest'],
    [other, '2026-03-02', 'a:latest'],
    [all, '2026-03-03', 'a:latest'],
    [stranger, '2026-03-02', 'a:latest'],
  ] as const)
    ids.push(await request(who, Date.parse(`${date}T12:00:00Z`), model))
})

/** $0.1, with the first token after 70 ms. */
async function request(who: TestKey, atMs: number, model = 'a:latest'): Promise<string> {
  const id = v7({ msecs: atMs })
  const verdict = await admit(db, askOf(who, { id, nowMs: atMs, model }))
  if (!verdict.admitted) throw new Error(verdict.refusal)
  await settle(db, endingOf(who, id, usd('0.1'), { firstMs: 70 }))
  return id
}

const get = (path: string, by: TestKey, headers: Record<string, string> = {}) =>
  app.request(path, { headers: { authorization: `Bearer ${by.key}`, ...headers } }, env)
const json = async (path: string, by: TestKey) => (await get(path, by)).json<Record<string, unknown>>()
const MARCH = 'from=2026-03-01&to=2026-03-31'

test('a key sees its own use, by day and model', async () => {
  expect(accountUsage.parse(await json(`/account/usage?${MARCH}&group=day`, key))).toMatchObject({
    from: '2026-03-01',
    to: '2026-03-31',
    group: 'day',
    days: [
      { day: '2026-03-01', requests: 1, cost_usd: '0.1', first_token_ms_average: 70, first_token_p95_ms_at_most: 100 },
      { day: '2026-03-02', requests: 1 },
    ],
    totals: { requests: 2, cost_usd: '0.2' },
    cost_usd: '0.2',
  })
  expect(accountUsage.parse(await json(`/account/usage?${MARCH}`, key))).toMatchObject({
    models: [{ model: 'a:latest' }, { model: 'b:latest' }],
  })
  expect(accountUsage.parse(await json(`/account/usage?${MARCH}&group=key`, key))).toMatchObject({
    keys: [{ key_id: key.id, requests: 2 }],
  })
})

test('a key of the account sees all of the customer, and nothing of another', async () => {
  expect(accountUsage.parse(await json(`/account/usage?${MARCH}&group=key`, all))).toMatchObject({
    keys: [
      { key_id: key.id, requests: 2 },
      { key_id: other.id, requests: 1 },
      { key_id: all.id, key_name: '=cmd', requests: 1 },
    ],
    totals: { requests: 4 },
  })
})

test('use is CSV by ?format=csv and by Accept, safe to open in a spreadsheet', async () => {
  const answer = await get(`/account/usage?${MARCH}&group=key&format=csv`, all)
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  const lines = (await answer.text()).split('\r\n')
  expect(lines).toHaveLength(5)
  expect(lines[0]).toMatch(
    /^key_id,key_prefix,key_name,requests,input_tokens,.*,cost_usd,first_token_ms_average,first_token_p95_ms_at_most$/,
  )
  expect(lines[3]).toMatch(/^\d+,sk_\w+,'=cmd,1,/)
  const accepted = await get(`/account/usage?${MARCH}&group=day`, key, { accept: 'text/csv' })
  expect(await accepted.text()).toMatch(/^day,requests,/)
  for (const [query, accept] of [
    ['&format=json', 'text/csv'],
    ['', 'application/json, text/csv'],
    ['', '*/*'],
  ] as const) {
    const told = await get(`/account/usage?${MARCH}${query}`, key, { accept })
    expect(told.headers.get('content-type')).toContain('application/json')
  }
})

test('a customer without use has an empty report, and no requests', async () => {
  const fresh = await makeKey(await makeCustomer())
  for (const group of ['day', 'model', 'key']) {
    const report = accountUsage.parse(await json(`/account/usage?group=${group}`, fresh))
    expect(report).toMatchObject({ totals: { requests: 0, first_token_ms_average: null }, cost_usd: '0' })
  }
  expect((await (await get('/account/usage?format=csv', fresh)).text()).split('\r\n')).toHaveLength(2)
  expect(await json('/account/requests', fresh)).toEqual({ data: [], next: null })
})

test('requests come newest first, page by page, without a gap or a request of another key', async () => {
  const many = await makeKey(stranger.customerId)
  const made: string[] = []
  for (let n = 0; n < 7; n++) made.push(await request(many, Date.UTC(2026, 4, 1 + n)))
  const running = v7()
  await admit(db, askOf(many, { id: running }))
  const seen: string[] = []
  let before = ''
  do {
    const page: AccountRequests = accountRequests.parse(await json(`/account/requests?limit=3${before}`, many))
    expect(page.data.length).toBeLessThanOrEqual(3)
    seen.push(...page.data.map(({ id }) => id))
    before = page.next === null ? '' : `&before=${page.next}`
  } while (before !== '')
  expect(seen).toEqual([running, ...made.reverse()])
  const whole = accountRequests.parse(await json('/account/requests?limit=8', many))
  expect(whole).toMatchObject({
    next: null,
    data: [{ state: 'running' }, { state: 'ended', cost_usd: '0.1', key_id: many.id }, {}, {}, {}, {}, {}, {}],
  })
})

test('an account’s key pages over all of its keys, another over its own alone', async () => {
  const listed = async (by: TestKey) => accountRequests.parse(await json('/account/requests', by)).data.map(({ id }) => id)
  expect(await listed(all)).toEqual([ids[3], ids[2], ids[1], ids[0]].sort().reverse())
  expect(await listed(key)).toEqual([ids[1], ids[0]])
})

test('one request is explained, to its key and to the account’s, and to nobody else', async () => {
  for (const by of [key, all]) {
    const told = accountRequest.parse(await json(`/account/requests/${ids[0]}`, by))
    expect(told).toMatchObject({
      id: ids[0],
      state: 'ended',
      cost_usd: '0.1',
      explanation: {
        formula: [{ what: 'request', text: '1 request × $0.1 = $0.1' }, { what: 'input' }, { what: 'output' }],
        total_usd: '0.1',
      },
    })
  }
  const unknown = await get(`/account/requests/${v7()}`, key)
  const words = await unknown.text()
  for (const [id, by] of [
    [ids[0], other],
    [ids[0], stranger],
    [ids[4], all],
    ['nonsense', key],
    ["' OR 1=1 --", key],
  ] as const) {
    const answer = await get(`/account/requests/${encodeURIComponent(String(id))}`, by)
    expect([answer.status, await answer.text()]).toEqual([404, words])
  }
})

test('what was posted for a request is told with it', async () => {
  const id = await request(key, Date.UTC(2026, 5, 1))
  await db
    .prepare("INSERT INTO adjustments VALUES (?, ?, ?, ?, -25000000, 'refund', 20605, 0)")
    .bind(key.customerId, `refund:${id}`, key.id, id)
    .run()
  expect(accountRequest.parse(await json(`/account/requests/${id}`, key)).explanation).toMatchObject({
    adjustments: [{ amount_usd: '-0.025', reason: 'refund' }],
    total_usd: '0.075',
  })
})

test.each([
  ['usage?from=2026-02-30', 'from'],
  ['usage?to=2026-13-01', 'to'],
  ['usage?from=yesterday', 'from'],
  ['usage?from=0001-01-01', 'from'],
  ['usage?from=', 'from'],
  ['usage?from=2026-03-02&to=2026-03-01', 'from'],
  ['usage?group=hour', 'group'],
  ['usage?group=day&group=model', 'group'],
  ['usage?format=xml', 'format'],
  ['requests?limit=0', 'limit'],
  ['requests?limit=201', 'limit'],
  ['requests?limit=-5', 'limit'],
  ['requests?limit=1e9', 'limit'],
  ['requests?limit=99999999999999999999', 'limit'],
  ['requests?limit=', 'limit'],
  ['requests?before=x', 'before'],
  ['requests?before=~', 'before'],
])('/account/%s is a 400 that names %s', async (path, param) => {
  const answer = await get(`/account/${path}`, key)
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(`${param}: `)])
})
