// What a prepaid customer is told of their balance: at /account/budget, and where it does not cover a request.
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { app } from '../app.ts'
import { admit, askOf, db, endingOf, makeCustomer, makeKey, migrate, setPrice, settle, type TestKey } from '../testing/ledger.ts'

beforeAll(async () => {
  await migrate()
  await setPrice('m:latest', { request: '0.5' })
})

function call(key: TestKey, path: string, more: RequestInit = {}, vars: Record<string, string> = {}): Promise<Response> {
  const request = new Request(`https://gateway.example${path}`, { ...more, headers: { authorization: `Bearer ${key.key}` } })
  return Promise.resolve(app.fetch(request, { ...env, ...vars }, createExecutionContext()))
}
const chat = (key: TestKey, vars: Record<string, string> = {}) =>
  call(key, '/api/chat', { method: 'POST', body: '{"model":"m","messages":[{"role":"user","content":"x"}]}' }, vars)

/** $2 paid in, $0.30 used, $0.50 held, and then as many holds as fit. */
async function spender(): Promise<TestKey> {
  const key = await makeKey(await makeCustomer({ prepaid: '2' }))
  const first = askOf(key)
  await admit(db, first)
  await settle(db, endingOf(key, first.id, 300_000_000))
  await admit(db, askOf(key))
  return key
}

test('/account/budget shows what a prepaid customer paid, used, has running and has left; a postpaid one has no such field', async () => {
  const key = await spender()
  expect(await (await call(key, '/account/budget')).json()).toMatchObject({
    prepaid: { paid_usd: '2', used_usd: '0.3', held_usd: '0.5', left_usd: '1.2' },
    account: { budget_usd: null },
    binds: 'prepaid balance',
  })
  const postpaid = await makeKey(await makeCustomer({ budget: '2' }))
  expect(Object.keys((await (await call(postpaid, '/account/budget')).json()) as object)).toEqual(['account', 'key', 'binds'])
})

test('a balance that does not cover a request is said with what is left, what is held, and how to pay', async () => {
  const key = await spender()
  for (let more = 0; more < 2; more++) await admit(db, askOf(key))
  const refused = await chat(key)
  expect([refused.status, await refused.json()]).toEqual([
    402,
    {
      error:
        'The account’s prepaid balance does not cover this request, which may cost $0.5 at the least: $1.7 is left, of which running requests hold $1.5. Ask the operator how to pay in.',
    },
  ])
  const linked = await chat(key, { STRIPE_PAYMENT_LINK: 'https://buy.stripe.com/test_1?locale=en' })
  expect(await linked.json()).toMatchObject({
    error: expect.stringMatching(
      new RegExp(`Pay in at https://buy\\.stripe\\.com/test_1\\?locale=en&client_reference_id=${key.customerId}$`),
    ),
  })
})

test('a balance below zero is said as it is, in every dialect, so that one knows what to pay in', async () => {
  const key = await makeKey(await makeCustomer({ prepaid: '2' }))
  await db.prepare("UPDATE spend SET spent_nano = 1250000000 WHERE owner = 'p' || CAST(? AS INTEGER)").bind(key.customerId).run()
  const messages = '"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]'
  const bodies = {
    '/api/chat': `{${messages}}`,
    '/api/generate': '{"model":"m","prompt":"x"}',
    '/v1/chat/completions': `{${messages}}`,
    '/v1/completions': '{"model":"m","prompt":"x"}',
    '/v1/responses': '{"model":"m","input":"x"}',
    '/v1/embeddings': '{"model":"m","input":"x"}',
    '/v1/messages': `{${messages}}`,
  }
  for (const [path, body] of Object.entries(bodies)) {
    const refused = await call(key, path, { method: 'POST', body })
    expect([refused.status, await refused.text()], path).toEqual([
      402,
      expect.stringContaining('which may cost $0.5 at the least: -$1.25 is left. Ask the operator how to pay in.'),
    ])
  }
})

test('where the budget has less room than the balance, the budget is named', async () => {
  const key = await makeKey(await makeCustomer({ prepaid: '2', budget: '0.1' }))
  expect(await (await chat(key)).json()).toMatchObject({ error: expect.stringContaining('The account’s budget of $0.1 (month)') })
})
