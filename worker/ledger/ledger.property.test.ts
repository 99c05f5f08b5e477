// Any schedule of admissions, ends, expiries, late ends, payments, credits, invoices, and changes of price, budget, period and prepayment:
// no budget and no balance is passed, every sum agrees.
import * as fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { NanoUsd } from '../money.ts'
import { UNUSED } from '../pricing.ts'
import {
  admit,
  askOf,
  db,
  endingOf,
  invoiceMonth,
  makeCustomer,
  makeKey,
  migrate,
  payIn,
  setPrice,
  settle,
  type TestKey,
} from '../testing/ledger.ts'
import { renew } from './lease.ts'
import { DAY_MS, periodOfDaySql, rebuildSpendSql } from './periods.ts'
import { proveLedger } from './proofs.ts'
import { sweep } from './settlement.ts'

beforeAll(async () => {
  await migrate()
  await setPrice('m:latest', PER_MILLISECOND)
})

/** A millisecond of GPU is a nano-dollar, so that any cost has counts that it is made of. */
const PER_MILLISECOND = { input: '1', output: '1', gpuSecond: '0.000001' }
const usedFor = (cost: number) => ({ ...UNUSED, gpuMs: cost })

const START_MS = Date.UTC(2026, 9, 30, 22)

type Step =
  | { do: 'admit'; key: number; input: number; output: number | null }
  | { do: 'settle' | 'settle twice'; which: number; cost: number }
  | { do: 'checkpoint'; which: number; cost: number }
  | { do: 'expire'; which: number }
  | { do: 'late'; which: number; cost: number }
  | { do: 'price'; perMtok: number }
  | { do: 'customer budget'; nano: number | null; period: string }
  | { do: 'key budget'; key: number; nano: number | null; period: string }
  | { do: 'pay' | 'credit'; nano: number }
  | { do: 'prepaid'; on: boolean }
  | { do: 'invoice' }
  | { do: 'clock'; hours: number }

/** What may cut a room below what is taken of it already. */
const CUTS = new Set<Step['do']>(['customer budget', 'key budget', 'pay', 'credit', 'prepaid'])

const period = fc.constantFrom('total', 'day', 'week', 'month')
const budget = fc.option(fc.integer({ min: 0, max: 3_000_000 }), { nil: null })
const cost = fc.integer({ min: 0, max: 2_000_000 })
const which = fc.nat(7)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('admit' as const),
      key: fc.nat(1),
      input: fc.nat(1000),
      output: fc.option(fc.nat(1000), { nil: null }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('settle' as const, 'settle twice' as const), which, cost }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('checkpoint' as const), which, cost: fc.integer({ min: 0, max: 500_000 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('expire' as const), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('late' as const), which, cost }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('price' as const), perMtok: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('customer budget' as const), nano: budget, period }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('key budget' as const), key: fc.nat(1), nano: budget, period }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pay' as const), nano: fc.integer({ min: 1, max: 3_000_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('pay' as const, 'credit' as const),
      nano: fc.integer({ min: -500_000, max: 500_000 }).filter((nano) => nano !== 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('prepaid' as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('invoice' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clock' as const), hours: fc.integer({ min: -1, max: 30 }) }) },
)

class World {
  nowMs = START_MS
  readonly running: { id: string; key: TestKey }[] = []
  readonly expired: { id: string; key: TestKey }[] = []
  readonly customerId: number
  readonly keys: TestKey[]

  constructor(customerId: number, keys: TestKey[]) {
    this.customerId = customerId
    this.keys = keys
  }

  key(index: number): TestKey {
    return this.keys[index % this.keys.length] as TestKey
  }

  /** Spent and held of each owner and period with a budget, and the budget; of a balance, whose bound is 0, less what was paid. */
  async taken(): Promise<Map<string, { taken: number; budget: number }>> {
    const { results } = await db
      .prepare(
        `WITH owners AS (
           SELECT 'c' || id AS owner, id AS customer_id, NULL AS key_id, budget_nano, budget_period FROM customers WHERE id = ?1
           UNION ALL SELECT 'k' || id, customer_id, id, budget_nano, budget_period FROM api_keys WHERE customer_id = ?1
         ), parts AS (
           SELECT o.owner, o.budget_nano, s.period, s.spent_nano AS nano FROM owners o JOIN spend s ON s.owner = o.owner
           UNION ALL
           SELECT o.owner, o.budget_nano, ${periodOfDaySql('o.budget_period', 'h.created_ms / 86400000')}, h.hold_nano
           FROM owners o JOIN holds h ON h.customer_id = o.customer_id AND (o.key_id IS NULL OR h.key_id = o.key_id)
         ) SELECT owner || ' ' || period AS name, sum(nano) AS taken, budget_nano AS budget FROM parts WHERE budget_nano IS NOT NULL GROUP BY owner, period
         UNION ALL
         SELECT 'p', coalesce((SELECT spent_nano FROM spend WHERE owner = 'p' || c.id AND period = 0), 0)
           + (SELECT coalesce(sum(hold_nano), 0) FROM holds h WHERE h.customer_id = c.id), 0 FROM customers c WHERE c.id = ?1 AND c.prepaid`,
      )
      .bind(this.customerId)
      .all<{ name: string; taken: number; budget: number }>()
    return new Map(results.map((row) => [row.name, row]))
  }
}

const ending = ({ key, id }: { key: TestKey; id: string }, cost: number) => endingOf(key, id, cost, { used: usedFor(cost) })

async function apply(world: World, step: Step): Promise<void> {
  const pick = (from: { id: string; key: TestKey }[], index: number) => from[index % Math.max(1, from.length)]
  switch (step.do) {
    case 'admit': {
      const key = world.key(step.key)
      const ask = askOf(key, { inputBound: step.input, outputAsked: step.output, nowMs: world.nowMs, deadlineMs: 0 })
      const verdict = await admit(db, ask)
      if (verdict.admitted) world.running.push({ id: ask.id, key })
      return
    }
    case 'settle':
    case 'settle twice': {
      const request = pick(world.running, step.which)
      if (request === undefined) return
      for (let time = 0; time < (step.do === 'settle' ? 1 : 2); time++) await settle(db, ending(request, step.cost))
      world.running.splice(world.running.indexOf(request), 1)
      return
    }
    case 'checkpoint': {
      const request = pick(world.running, step.which)
      if (request === undefined) return
      await renew(db, {
        customerId: world.customerId,
        id: request.id,
        costNano: step.cost as NanoUsd,
        used: usedFor(step.cost),
        firstMs: 1,
        leaseMs: 1,
      })
      return
    }
    case 'expire': {
      const request = pick(world.running, step.which)
      if (request === undefined) return
      await db.prepare('UPDATE holds SET expires_ms = 0 WHERE id = ?').bind(request.id).run()
      await sweep(db)
      // The sweep takes whatever is past its lease: on this clock, all that began long ago.
      const { results } = await db.prepare('SELECT id FROM holds WHERE customer_id = ?').bind(world.customerId).all<{ id: string }>()
      const left = new Set(results.map((row) => row.id))
      for (const each of [...world.running]) {
        if (left.has(each.id)) continue
        world.running.splice(world.running.indexOf(each), 1)
        world.expired.push(each)
      }
      return
    }
    case 'late': {
      const request = pick(world.expired, step.which)
      if (request !== undefined) await settle(db, ending(request, step.cost))
      return
    }
    case 'price':
      return setPrice('m:latest', { ...PER_MILLISECOND, input: String(step.perMtok), output: String(step.perMtok) })
    case 'customer budget':
      await db.batch([
        db.prepare('UPDATE customers SET budget_nano = ?, budget_period = ? WHERE id = ?').bind(step.nano, step.period, world.customerId),
        ...rebuildSpendSql('customer').map((sql) => db.prepare(sql).bind(world.customerId)),
      ])
      return
    case 'key budget': {
      const { id } = world.key(step.key)
      await db.batch([
        db.prepare('UPDATE api_keys SET budget_nano = ?, budget_period = ? WHERE id = ?').bind(step.nano, step.period, id),
        ...rebuildSpendSql('key').map((sql) => db.prepare(sql).bind(id)),
      ])
      return
    }
    case 'pay':
      return payIn(world.customerId, step.nano)
    case 'credit':
      await db.batch([
        db
          .prepare("INSERT INTO adjustments (customer_id, id, amount_nano, reason, day, created_ms) VALUES (?, ?, ?, 'test', ?, 0)")
          .bind(world.customerId, crypto.randomUUID(), step.nano, Math.floor(world.nowMs / DAY_MS)),
        ...rebuildSpendSql('customer').map((sql) => db.prepare(sql).bind(world.customerId)),
      ])
      return
    case 'prepaid':
      await db.batch([
        db.prepare('UPDATE customers SET prepaid = ? WHERE id = ?').bind(step.on ? 1 : 0, world.customerId),
        ...rebuildSpendSql('customer').map((sql) => db.prepare(sql).bind(world.customerId)),
      ])
      return
    case 'invoice':
      return invoiceMonth(world.customerId, world.nowMs)
    case 'clock':
      world.nowMs += step.hours * 3_600_000
  }
}

test('no schedule passes a budget or a balance, and after each every sum agrees', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { minLength: 5, maxLength: 40 }), async (prepaid, steps) => {
      const customer = await makeCustomer(prepaid ? { prepaid: '0.002' } : { budget: '0.002' })
      const world = new World(customer, [await makeKey(customer), await makeKey(customer, { budget: '0.001', period: 'day' })])
      let before = await world.taken()
      for (const each of steps) {
        await apply(world, each)
        const after = await world.taken()
        if (!CUTS.has(each.do)) {
          // A room that was cut below what is taken may stay passed; nothing makes it worse.
          for (const [owner, { taken, budget }] of after)
            expect([owner, taken <= Math.max(budget, before.get(owner)?.taken ?? 0)]).toEqual([owner, true])
        }
        before = after
      }
      // Holds on this clock are long past their lease; they end, and then everything has to agree.
      while ((await sweep(db)) > 0);
      for (const request of world.running) await settle(db, ending(request, 1))
      const proven = await proveLedger(async (sql) => (await db.prepare(sql).all()).results)
      // The invoices here only close a month, and say nothing.
      const found = proven.filter(({ proof, disagreeing }) => disagreeing.length > 0 && !proof.startsWith('invoices are'))
      expect(found).toEqual([])
    }),
    { numRuns: 100 },
  )
})
