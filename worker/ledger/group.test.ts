// Group commit on a real D1: who rides with whom, and that nobody hangs or is decided twice, whatever becomes of a batch or its leader.
import * as fc from 'fast-check'
import { beforeAll, expect, test, vi } from 'vitest'
import { UNUSED } from '../pricing.ts'
import { askOf, db, endingOf, makeCustomer, makeKey, migrate, setPrice, type TestKey } from '../testing/ledger.ts'
import type { Verdict } from './admission.ts'
import { Group, type GroupOptions } from './group.ts'
import { proveLedger } from './proofs.ts'
import { sweep } from './settlement.ts'

beforeAll(async () => {
  await migrate()
  await setPrice('m:latest', { input: '1', output: '1' })
})

/** What a call of the test's database does instead of going through: `lost` is carried out, and the reply never comes. */
type Fate = 'passes' | 'fails' | 'reply fails' | 'hangs' | 'lost' | 'held'

/**
 * The database with its calls listed, by the number of asks and of endings in each, and a fate for each in turn. What hangs does so for ever,
 * or until D1 gives it up.
 */
function watched(fates: Fate[] = [], gaveUpMs = Number.POSITIVE_INFINITY) {
  const calls: { asks: number; endings: boolean }[] = []
  const holds: (() => void)[] = []
  const sqlOf = new WeakMap<object, string>()
  const never = () =>
    new Promise<never>((_, reject) => {
      if (gaveUpMs < Number.POSITIVE_INFINITY) setTimeout(reject, gaveUpMs, new Error('D1_ERROR: the query took too long'))
    })
  const watching = {
    prepare(sql: string) {
      const statement = db.prepare(sql)
      const { bind } = statement
      statement.bind = (...values) => {
        const bound = bind.apply(statement, values)
        sqlOf.set(bound, sql)
        return bound
      }
      return statement
    },
    async batch(statements: D1PreparedStatement[]) {
      const texts = statements.map((statement) => sqlOf.get(statement) ?? '')
      const count = (start: string) => texts.filter((sql) => sql.startsWith(start)).length
      calls.push({ asks: count('INSERT INTO holds'), endings: count('INSERT INTO usage (') > 0 })
      const fate = fates.shift() ?? 'passes'
      if (fate === 'fails') throw new Error('D1_ERROR: CHECK constraint failed: SQLITE_CONSTRAINT')
      if (fate === 'hangs') return never()
      if (fate === 'held') await new Promise<void>((resolve) => holds.push(resolve))
      const results = await db.batch(statements)
      if (fate === 'lost') return never()
      if (fate === 'reply fails') throw new Error('D1_ERROR: Network connection lost.')
      return results
    },
  } as unknown as D1Database
  return { db: watching, calls, release: () => holds.shift()?.() }
}

const deferred: Promise<unknown>[] = []
const defer = (work: Promise<unknown>) => void deferred.push(work)

function groupOn(database: D1Database, options: Partial<GroupOptions> = {}): Group {
  return new Group(database, { underWayMax: 1, lingerMs: 20, patienceMs: 100, ...options })
}

const admitted = (verdicts: Verdict[]) => verdicts.filter((verdict) => verdict.admitted).length
const holdsOf = (key: TestKey) => db.prepare('SELECT count(*) AS n FROM holds WHERE customer_id = ?').bind(key.customerId).first('n')
const usageOf = (key: TestKey) => db.prepare('SELECT count(*) AS n FROM usage WHERE customer_id = ?').bind(key.customerId).first('n')
const rich = async () => makeKey(await makeCustomer({ budget: '1000' }))

test('asks that come while a batch is under way share the next one, and one at a time each goes at once', async () => {
  const key = await rich()
  const { db: database, calls, release } = watched(['held'])
  const group = groupOn(database)
  const first = group.admit(askOf(key), defer)
  const others = Array.from({ length: 7 }, () => group.admit(askOf(key), defer))
  release()
  expect(admitted([await first, ...(await Promise.all(others))])).toBe(8)
  expect(calls.map(({ asks }) => asks)).toEqual([1, 7])
  await group.admit(askOf(key), defer)
  await group.admit(askOf(key), defer)
  expect(calls.map(({ asks }) => asks)).toEqual([1, 7, 1, 1])
})

test('a batch takes so many asks and no more', async () => {
  const key = await rich()
  const { db: database, calls, release } = watched(['held'])
  const group = groupOn(database, { max: 3 })
  const all = Array.from({ length: 9 }, () => group.admit(askOf(key), defer))
  release()
  await Promise.all(all)
  expect(calls.map(({ asks }) => asks)).toEqual([1, 3, 3, 2])
})

test('an ending beside running requests rides with the next ask, and frees what it held for that ask', async () => {
  // $0.001 a request of 1,000 tokens at $1/Mtok, and a budget for one
  const key = await makeKey(await makeCustomer({ budget: '0.001' }))
  const other = await rich()
  const { db: database, calls } = watched()
  const group = groupOn(database, { lingerMs: 60_000 })
  const ask = askOf(key, { inputBound: 1000, outputAsked: 0 })
  await group.admit(ask, defer)
  await group.admit(askOf(other), defer)
  const settled = group.settle(endingOf(key, ask.id, 0, { used: UNUSED }), defer)
  const verdict = await group.admit(askOf(key, { inputBound: 1000, outputAsked: 0 }), defer)
  await settled
  expect(verdict.admitted).toBe(true)
  expect(calls.slice(2)).toEqual([{ asks: 1, endings: true }])
})

test('an ending that nobody takes along goes when its time to linger is over, and at once where nothing else runs', async () => {
  const [key, other] = [await rich(), await rich()]
  const { db: database, calls } = watched()
  const group = groupOn(database)
  const [ask, running] = [askOf(key), askOf(other)]
  await group.admit(running, defer)
  await group.admit(ask, defer)
  await group.settle(endingOf(key, ask.id, 2000), defer)
  expect(await usageOf(key)).toBe(1)
  const wait = vi.spyOn(globalThis, 'setTimeout')
  await group.settle(endingOf(other, running.id, 2000), defer)
  expect(wait).not.toHaveBeenCalled()
  wait.mockRestore()
  expect(calls.map(({ endings }) => endings)).toEqual([false, false, true, true])
})

test('one bad row does not take the others of its batch along', async () => {
  const key = await rich()
  const { db: database, calls, release } = watched(['held', 'fails', 'passes', 'fails'])
  const group = groupOn(database)
  const first = group.admit(askOf(key), defer)
  const others = Array.from({ length: 3 }, () => group.admit(askOf(key), defer))
  release()
  const outcomes = await Promise.allSettled([first, ...others])
  expect(outcomes.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1)
  expect(calls.map(({ asks }) => asks)).toEqual([1, 3, 1, 1, 1])
  expect(await holdsOf(key)).toBe(3)
})

test('a database that is overloaded is not asked again for each', async () => {
  const key = await rich()
  let calls = 0
  const overloaded = {
    prepare: (sql: string) => db.prepare(sql),
    async batch() {
      calls++
      await Promise.resolve()
      throw new Error('D1 DB is overloaded. Too many requests queued.')
    },
  } as unknown as D1Database
  const group = groupOn(overloaded)
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => group.admit(askOf(key), defer)))
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
  expect(calls).toBe(2)
})

test.for(['hangs', 'lost'] as const)(
  'a leader whose batch %s hangs nobody: whoever waited goes alone, and nobody is decided twice',
  async (fate) => {
    const key = await rich()
    const { db: database } = watched(['held', fate])
    const group = groupOn(database, { patienceMs: 20 })
    // The first is held for ever; the second leads when it has waited long enough, and its batch is the one that stays away.
    void group.admit(askOf(key), defer)
    void group.admit(askOf(key), defer)
    const riders = Array.from({ length: 5 }, () => group.admit(askOf(key), defer))
    expect(admitted(await Promise.all(riders))).toBe(5)
    // What hangs counts no more: the next ones are not slower for it.
    const wait = vi.spyOn(globalThis, 'setTimeout')
    expect((await group.admit(askOf(key), defer)).admitted).toBe(true)
    expect(wait).not.toHaveBeenCalled()
    wait.mockRestore()
    // Those that ride along with a batch that is carried out although its reply is lost have their one hold; its leader has one, too.
    expect(await holdsOf(key)).toBe(fate === 'hangs' ? 6 : 7)
  },
)

test('what is under way is kept alive by a defer of its leader, each time another one', async () => {
  const key = await rich()
  const { db: database, release } = watched(['held'])
  const group = groupOn(database, { max: 2 })
  const leads: number[] = []
  const all = Array.from({ length: 5 }, (_, index) => group.admit(askOf(key), () => void leads.push(index)))
  release()
  await Promise.all(all)
  // max 2: [0], [1, 2], [3, 4]
  expect(leads).toEqual([0, 1, 3])
})

test('500 grouped asks at a budget for 37 admit 37', async () => {
  const key = await makeKey(await makeCustomer({ budget: '0.037' }))
  const group = new Group(db)
  const verdicts = await Promise.all(
    Array.from({ length: 500 }, () => group.admit(askOf(key, { inputBound: 1000, outputAsked: 0 }), defer)),
  )
  expect(admitted(verdicts)).toBe(37)
  expect(await holdsOf(key)).toBe(37)
})

test('ungrouped is the same with groups of one', async () => {
  const key = await rich()
  const { db: database, calls } = watched()
  const group = groupOn(database, { max: 1 })
  await Promise.all(Array.from({ length: 4 }, () => group.admit(askOf(key), defer)))
  expect(calls.map(({ asks }) => asks)).toEqual([1, 1, 1, 1])
})

test('whatever becomes of the calls, nobody hangs, each request is decided and ended once, and the ledger agrees', async () => {
  const fate = fc.constantFrom<Fate>('passes', 'passes', 'passes', 'fails', 'reply fails', 'hangs', 'lost')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fate, { maxLength: 12 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 4 }),
      async (fates, requests, underWayMax) => {
        // A budget for ten: $0.001 each
        const key = await makeKey(await makeCustomer({ budget: '0.01' }))
        const group = groupOn(watched([...fates], 50).db, { underWayMax, max: 5, lingerMs: 1, patienceMs: 5 })
        const story = async () => {
          const ask = askOf(key, { inputBound: 1000, outputAsked: 0 })
          const verdict = await group.admit(ask, defer)
          // 700 tokens at $1/Mtok = $0.0007
          if (verdict.admitted) await group.settle(endingOf(key, ask.id, 700_000, { used: { ...UNUSED, input: 700 } }), defer)
        }
        // Whoever hung would keep this from ending. What a failed one may have been given is left to its lease.
        await Promise.allSettled(Array.from({ length: requests }, story))
        const { charged } = (await db
          .prepare('SELECT coalesce(sum(cost_nano), 0) AS charged FROM usage WHERE customer_id = ?')
          .bind(key.customerId)
          .first<{ charged: number }>()) ?? { charged: -1 }
        expect(charged).toBeLessThanOrEqual(10_000_000)
        await db.prepare('UPDATE holds SET expires_ms = 0 WHERE customer_id = ?').bind(key.customerId).run()
        while ((await sweep(db)) > 0);
        const proofs = await proveLedger(async (sql) => (await db.prepare(sql).all()).results)
        expect(proofs.filter(({ disagreeing }) => disagreeing.length > 0)).toEqual([])
      },
    ),
    { numRuns: 20 },
  )
})
