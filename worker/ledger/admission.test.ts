// Admission on a real D1: who gets in, at what hold, and what is said to the others.
import { v7 } from 'uuid'
import { beforeAll, expect, test } from 'vitest'
import { admit, askOf, db, endingOf, makeCustomer, makeKey, migrate, setPrice, settle, usd } from '../testing/ledger.ts'
import type { CacheWrite } from '../vendors/vendor-request.ts'
import { admissionOf, admissionStatement, explained } from './admission.ts'

beforeAll(async () => {
  await migrate()
  await setPrice('m:latest', { input: '1', output: '2' })
  await setPrice('free:latest', {})
  await setPrice('flat:latest', { request: '0.01', model: '0.002' })
  await setPrice('gpu:latest', { gpuSecond: '0.001', outputDefault: 10 })
})

test('the hold is the most that the request can cost', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const verdict = await admit(db, askOf(key, { inputBound: 1000, outputAsked: 500 }))
  if (!verdict.admitted) throw new Error(verdict.refusal)
  // 1,000 tokens at $1/Mtok + 500 at $2/Mtok = $0.001 + $0.001
  expect(verdict.hold.holdNano).toBe(usd('0.002'))
  expect(verdict.hold.outputLimit).toBe(500)
  expect(verdict.standing.roomNano).toBe(usd('1'))
})

test('an output limit is fitted to what the budget has left', async () => {
  const key = await makeKey(await makeCustomer({ budget: '0.002' }))
  const verdict = await admit(db, askOf(key, { inputBound: 1000, outputAsked: 5000 }))
  if (!verdict.admitted) throw new Error(verdict.refusal)
  // $0.002 − $0.001 of input = $0.001 = 500 tokens at $2/Mtok
  expect(verdict.hold.outputLimit).toBe(500)
  expect(verdict.hold.holdNano).toBe(usd('0.002'))
})

test('a fitted limit never falls below 256, or what the caller asked for if that is less', async () => {
  const customer = await makeCustomer({ budget: '0.0005' })
  const key = await makeKey(customer)
  const refused = await admit(db, askOf(key, { outputAsked: 5000 }))
  // $0.0005 is 250 tokens at $2/Mtok
  expect(refused).toMatchObject({ admitted: false, refusal: 'budget_exceeded' })
  expect((await admit(db, askOf(key, { outputAsked: 250 }))).admitted).toBe(true)
})

test('a limit above the model’s maximum is cut to it', async () => {
  const key = await makeKey(await makeCustomer())
  const verdict = await admit(db, askOf(key, { outputAsked: 1_000_000 }))
  expect(verdict.admitted && verdict.hold.outputLimit).toBe(8192)
  expect(verdict.standing?.roomNano).toBeNull()
})

test('fixed prices and GPU time are in the hold', async () => {
  const key = await makeKey(await makeCustomer())
  const flat = await admit(db, askOf(key, { model: 'flat:latest' }))
  expect(flat.admitted && flat.hold.holdNano).toBe(usd('0.012'))
  const gpu = await admit(db, askOf(key, { model: 'gpu:latest', deadlineMs: 60_000 }))
  // 60 s at $0.001
  expect(gpu.admitted && gpu.hold.holdNano).toBe(usd('0.06'))
})

test('a request that runs the model twice holds both runs, and the first one’s output as input of the second', async () => {
  const key = await makeKey(await makeCustomer())
  const verdict = await admit(db, askOf(key, { inputBound: 100, outputAsked: 1000, runs: 2 }))
  // 100 × $1 + 2 × 1,000 × $2 + 1,000 × $1 per Mtok
  expect(verdict.admitted && verdict.hold.holdNano).toBe(usd('0.0051'))
})

test('500 parallel requests at a budget for 37 admit 37', async () => {
  const key = await makeKey(await makeCustomer({ budget: '0.0375' }))
  const verdicts = await Promise.all(Array.from({ length: 500 }, () => admit(db, askOf(key, { inputBound: 1000, outputAsked: 0 }))))
  expect(verdicts.filter((verdict) => verdict.admitted)).toHaveLength(37)
  expect(verdicts.filter((verdict) => !verdict.admitted && verdict.refusal === 'budget_exceeded')).toHaveLength(463)
})

test('a key’s own budget binds beside the customer’s', async () => {
  const customer = await makeCustomer({ budget: '10' })
  const key = await makeKey(customer, { budget: '0.001' })
  const other = await makeKey(customer)
  expect((await admit(db, askOf(key, { inputBound: 1000, outputAsked: 0 }))).admitted).toBe(true)
  const refused = await admit(db, askOf(key, { inputBound: 1000, outputAsked: 0 }))
  expect(refused).toMatchObject({ refusal: 'budget_exceeded', standing: { key: { heldNano: usd('0.001') } } })
  expect((await admit(db, askOf(other, { inputBound: 1000, outputAsked: 0 }))).admitted).toBe(true)
})

test('a customer without money still gets what costs nothing', async () => {
  const key = await makeKey(await makeCustomer({ budget: '0' }))
  expect((await admit(db, askOf(key, { model: 'free:latest' }))).admitted).toBe(true)
  expect(await admit(db, askOf(key))).toMatchObject({ refusal: 'budget_exceeded' })
})

test('an admission whose reply was lost finds its own hold when asked again', async () => {
  const customer = await makeCustomer({ budget: '0.001' })
  const key = await makeKey(customer)
  const ask = askOf(key, { inputBound: 1000, outputAsked: 0 })
  const first = await admit(db, ask)
  expect(await admit(db, ask)).toEqual({ ...first, standing: { ...first.standing, nowMs: expect.any(Number) } })
  expect(await db.prepare('SELECT count(*) AS n FROM holds WHERE customer_id = ?').bind(customer).first('n')).toBe(1)
})

test('unknown, revoked and expired keys and suspended customers are refused', async () => {
  const customer = await makeCustomer()
  const key = await makeKey(customer)
  expect(await admit(db, askOf({ ...key, hash: '0'.repeat(64) }))).toMatchObject({ refusal: 'invalid_api_key', standing: null })
  expect(await admit(db, askOf(await makeKey(customer, { expiresMs: 1 })))).toMatchObject({ refusal: 'expired_api_key', expiresMs: 1 })
  await db.prepare('UPDATE api_keys SET revoked_ms = 1 WHERE id = ?').bind(key.id).run()
  expect(await admit(db, askOf(key))).toMatchObject({ refusal: 'revoked_api_key' })
  await db.prepare("UPDATE customers SET status = 'suspended' WHERE id = ?").bind(customer).run()
  expect(await admit(db, askOf(await makeKey(customer)))).toMatchObject({ refusal: 'account_suspended' })
})

test('a model must be allowed to the key and have a price', async () => {
  const customer = await makeCustomer()
  expect(await admit(db, askOf(await makeKey(customer, { models: ['free:latest'] })))).toMatchObject({ refusal: 'model_not_allowed' })
  expect(await admit(db, askOf(await makeKey(customer), { model: 'nope:latest' }))).toMatchObject({ refusal: 'model_not_found' })
})

test('the price in force is the newest that has begun, and a model’s own goes before *', async () => {
  await setPrice('p:latest', { request: '0.1', validFromMs: 1000 })
  await setPrice('p:latest', { request: '0.2', validFromMs: 2000 })
  const key = await makeKey(await makeCustomer())
  const at = async (nowMs: number, model = 'p:latest') => {
    const verdict = await admit(db, askOf(key, { model, nowMs }))
    return verdict.admitted ? verdict.hold.holdNano : verdict.refusal
  }
  expect([await at(999), await at(1000), await at(1999), await at(2000)]).toEqual(['model_not_found', usd('0.1'), usd('0.1'), usd('0.2')])
  await setPrice('*', { request: '0.7', validFromMs: 5000 })
  expect([await at(6000), await at(6000, 'any:latest')]).toEqual([usd('0.2'), usd('0.7')])
  await db.prepare("INSERT INTO prices (model, withdrawn, valid_from_ms, created_ms) VALUES ('p:latest', 1, 7000, 0)").run()
  expect(await at(7000)).toBe('model_not_found')
  await db.prepare("INSERT INTO prices (model, withdrawn, valid_from_ms, created_ms) VALUES ('*', 1, 8000, 0)").run()
})

test('whose model it is the price says, and the ask is read as they read it', async () => {
  const key = await makeKey(await makeCustomer())
  await setPrice('gpt', { input: '1', upstream: 'openai', validFromMs: 5 })
  await setPrice('*', { request: '0.1', validFromMs: 9000 })
  expect(await admit(db, askOf(key, { model: 'gpt:latest' }))).toMatchObject({ refusal: 'not_read', upstream: 'openai' })
  const paid = await admit(db, askOf(key, { model: 'gpt:latest', upstream: 'openai' }))
  expect(paid).toMatchObject({ hold: { upstream: 'openai', model: 'gpt' } })
  expect(await admit(db, askOf(key, { model: 'other:latest' }))).toMatchObject({ hold: { upstream: 'ollama', model: 'other:latest' } })
  // With its tag said, a name is the host's alone.
  expect(await admit(db, askOf(key, { model: 'gpt:latest', name: 'gpt:latest' }))).toMatchObject({ hold: { model: 'gpt:latest' } })
  await setPrice('gpt:latest', { input: '1', validFromMs: 6 })
  expect(await admit(db, askOf(key, { model: 'gpt:latest' }))).toMatchObject({ hold: { upstream: 'ollama', model: 'gpt:latest' } })
})

test('what a request writes to the cache is held at its dearest price, and refused where it has none', async () => {
  const key = await makeKey(await makeCustomer({ budget: '100' }))
  await setPrice('w', { input: '4', cached: '1', output: '0', cacheWrite: '5', upstream: 'anthropic' })
  const hold = async (cacheWrite: CacheWrite) => {
    const verdict = await admit(db, askOf(key, { model: 'w:latest', upstream: 'anthropic', inputBound: 1_000_000, cacheWrite }))
    return verdict.admitted ? verdict.hold.holdNano : verdict.refusal
  }
  expect(await hold('none')).toBe(usd('4'))
  expect(await hold('automatic')).toBe(usd('5'))
  expect(await hold('short')).toBe(usd('5'))
  expect(await hold('long')).toBe('cache_not_priced')
  await setPrice('w', { input: '4', cached: '1', output: '0', cacheWrite: '5', cacheWriteLong: '8', upstream: 'anthropic', validFromMs: 1 })
  expect(await hold('long')).toBe(usd('8'))
  await setPrice('w', { input: '4', upstream: 'anthropic', validFromMs: 2 })
  expect([await hold('automatic'), await hold('short')]).toEqual([usd('4'), 'cache_not_priced'])
})

test('once the bound of the input passes the threshold, the dearer of both prices is held', async () => {
  const key = await makeKey(await makeCustomer({ budget: '100' }))
  const above = { tokens: 100_000, input: '10', cached: '1', output: '20', cacheWrite: '12' }
  await setPrice('t', { input: '2', output: '10', cacheWrite: '3', above, upstream: 'openai' })
  const hold = async (inputBound: number, cacheWrite: CacheWrite) => {
    const verdict = await admit(
      db,
      askOf(key, { model: 't:latest', upstream: 'openai', inputBound, outputAsked: 1000, runs: 3, rereads: false, cacheWrite }),
    )
    return verdict.admitted ? verdict.hold.holdNano : verdict.refusal
  }
  // 100,000 tokens at $2/Mtok and 3 answers of 1,000 at $10/Mtok = $0.23
  expect(await hold(100_000, 'none')).toBe(usd('0.23'))
  // 100,001 at $10/Mtok and 3,000 at $20/Mtok = $1.06001; at $12/Mtok for what is written = $1.260012
  expect(await hold(100_001, 'none')).toBe(usd('1.06001'))
  expect(await hold(100_001, 'short')).toBe(usd('1.260012'))
  // Nothing is known of long writes, below the threshold neither.
  expect(await hold(100_001, 'long')).toBe('cache_not_priced')
})

test('an output limit that is too small to be of use is refused, not fitted', async () => {
  const key = await makeKey(await makeCustomer({ budget: '0.01' }))
  await setPrice('think', { output: '10', upstream: 'anthropic', outputMax: 64_000 })
  const ask = { model: 'think:latest', upstream: 'anthropic', outputAsked: 4096 } as const
  // $0.01 is 1,000 tokens at $10/Mtok, and 2,049 have to be left beside the thinking.
  expect(await admit(db, askOf(key, { ...ask, outputLeast: 2049 }))).toMatchObject({
    refusal: 'budget_exceeded',
    leastNano: usd('0.02049'),
  })
  expect(await admit(db, askOf(key, ask))).toMatchObject({ hold: { outputLimit: 1000 } })
})

test('requests per minute are counted from the ledger, running ones too', async () => {
  const customer = await makeCustomer({ rpm: 3 })
  const key = await makeKey(customer, { rpm: 2 })
  const first = askOf(key, { model: 'free:latest' })
  await admit(db, first)
  await settle(db, endingOf(key, first.id, 0))
  expect((await admit(db, askOf(key, { model: 'free:latest' }))).admitted).toBe(true)
  expect(await admit(db, askOf(key, { model: 'free:latest' }))).toMatchObject({
    refusal: 'rate_limited',
    standing: { key: { requests: 2 } },
  })
  const other = await makeKey(customer)
  expect((await admit(db, askOf(other, { model: 'free:latest' }))).admitted).toBe(true)
  expect(await admit(db, askOf(other, { model: 'free:latest' }))).toMatchObject({
    refusal: 'rate_limited',
    standing: { customer: { requests: 3 } },
  })
})

test('a request whose body took a minute to arrive counts from its admission', async () => {
  const key = await makeKey(await makeCustomer({ rpm: 1 }))
  const slow = () => admit(db, askOf(key, { model: 'free:latest', id: v7({ msecs: Date.now() - 100_000 }) }))
  expect((await slow()).admitted).toBe(true)
  expect(await slow()).toMatchObject({ refusal: 'rate_limited' })
})

test('a request of two runs reserves the tokens of both', async () => {
  const key = await makeKey(await makeCustomer({ tpm: 10_000 }))
  const ask = () => admit(db, askOf(key, { model: 'free:latest', outputAsked: 4000, runs: 2 }))
  const first = await ask()
  expect(first.admitted && first.hold.outputLimit).toBe(4000)
  const second = await ask()
  // 10,000 − 2 × 4,000 = 2,000, of which each run gets half
  expect(second.admitted && second.hold.outputLimit).toBe(1000)
})

test('tokens per minute fit the output limit, too', async () => {
  const key = await makeKey(await makeCustomer({ tpm: 1000 }))
  const first = await admit(db, askOf(key, { model: 'free:latest', inputBound: 100 }))
  expect(first.admitted && first.hold.outputLimit).toBe(900)
  expect(await admit(db, askOf(key, { model: 'free:latest', inputBound: 1 }))).toMatchObject({ refusal: 'rate_limited' })
})

test('concurrency limits count running requests of the customer and of the key', async () => {
  const customer = await makeCustomer({ concurrency: 2 })
  const key = await makeKey(customer, { concurrency: 1 })
  const first = askOf(key, { model: 'free:latest' })
  expect((await admit(db, first)).admitted).toBe(true)
  expect(await admit(db, askOf(key, { model: 'free:latest' }))).toMatchObject({ refusal: 'rate_limited' })
  await settle(db, endingOf(key, first.id, 0))
  expect((await admit(db, askOf(key, { model: 'free:latest' }))).admitted).toBe(true)
})

test('the host takes only so many at once, over all customers', async () => {
  await db.prepare('UPDATE holds SET expires_ms = 0').run()
  const ask = async () => admit(db, askOf(await makeKey(await makeCustomer()), { model: 'free:latest', hostConcurrency: 2 }))
  expect([(await ask()).admitted, (await ask()).admitted]).toEqual([true, true])
  expect(await ask()).toMatchObject({ refusal: 'host_busy' })
})

test('a hold of last month does not weigh on this month’s budget', async () => {
  const key = await makeKey(await makeCustomer({ budget: '0.001' }))
  const october = Date.UTC(2026, 9, 31, 23, 59)
  const ask = { inputBound: 1000, outputAsked: 0 }
  expect((await admit(db, askOf(key, { ...ask, nowMs: october }))).admitted).toBe(true)
  expect((await admit(db, askOf(key, { ...ask, nowMs: october }))).admitted).toBe(false)
  expect((await admit(db, askOf(key, { ...ask, nowMs: Date.UTC(2026, 10, 1) }))).admitted).toBe(true)
})

test('an ask that arrives when its request has ended, as one whose reply was lost may, writes no second hold', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const ask = askOf(key)
  const late = admissionStatement(db, ask)
  expect((await admit(db, ask)).admitted).toBe(true)
  await settle(db, endingOf(key, ask.id, 5))
  expect(admissionOf((await db.batch([late]))[0])).toBeNull()
  expect(await explained(db, ask)).toBeNull()
  expect(await admit(db, ask)).toMatchObject({ admitted: false, refusal: 'rate_limited' })
  expect(await db.prepare('SELECT count(*) AS n FROM holds WHERE customer_id = ?').bind(key.customerId).first('n')).toBe(0)
})
