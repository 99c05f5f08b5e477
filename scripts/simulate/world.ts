// A schedule as it runs: gateways, requests and calls under one clock, and what each step does to them.

import { type Payment, postPayment } from '../../worker/ledger/payments.ts'
import { DAY_MS, periodRenewsMs } from '../../worker/ledger/periods.ts'
import { sweep } from '../../worker/ledger/settlement.ts'
import { Broken } from './broken.ts'
import { type Call, Calls } from './calls.ts'
import { Clock } from './clock.ts'
import { Moves } from './moves.ts'
import { Oracle } from './oracle.ts'
import { admit, askOf, checkpoint, end, type Gateway, newGateway, type SimulatedRequest, usedOf } from './requests.ts'
import { insertCustomer, insertKey, insertPrice, invoiceLastMonth, type SimulatedKey, setBudget, setPrepaid } from './setup.ts'
import type { AskStep, Beginning, MoneyStep, Step } from './steps.ts'
import type { Result, Store } from './store.ts'

export type Trace = (line: string) => void

export class World {
  readonly clock: Clock
  readonly calls: Calls
  readonly oracle: Oracle
  readonly requests: SimulatedRequest[] = []
  readonly #moves: Moves
  readonly #store: Store
  readonly #trace: Trace | null
  readonly #groupMax: number
  readonly #gateways: Gateway[] = []
  readonly #customers: number[] = []
  readonly #keys: SimulatedKey[] = []
  /** What was begun and has not come back, by gateway. */
  readonly #open = new Map<Promise<unknown>, { gateway: Gateway; what: string }>()
  #broken: unknown = null

  constructor(store: Store, { startMs, groupMax }: Beginning, trace: Trace | null) {
    this.#store = store
    this.#trace = trace
    this.#groupMax = groupMax
    this.clock = new Clock(startMs)
    this.oracle = new Oracle(store, () => this.clock.databaseMs)
    this.#moves = new Moves(store, this.oracle)
    this.calls = new Calls(
      (call, whole) => this.#execute(call, whole),
      (statements) => store.sent?.(statements),
    )
  }

  async begin({ customers, prices, gateways }: Beginning): Promise<void> {
    await this.#store.begin(() => this.clock.databaseMs)
    for (const price of prices) await insertPrice(this.#store, price, this.clock.nowMs)
    for (const { keys, ...customer } of customers) {
      const id = await insertCustomer(this.#store, customer)
      this.#customers.push(id)
      if (customer.paidNano > 0) await this.#moves.payByHand(id, customer.paidNano, 'the first')
      for (const key of keys) this.#keys.push(await insertKey(this.#store, id, key))
    }
    for (let number = 0; number < gateways; number++) this.#gateways.push(newGateway(this.calls, number, this.#groupMax))
    await this.oracle.purses.check({ byGateway: false })
  }

  /** Throws Broken. */
  async step(step: Step): Promise<void> {
    await this.#do(step)
    await this.settled()
  }

  /** What has been set off has come to rest, up to calls and timers. Throws Broken. */
  async settled(): Promise<void> {
    await this.#store.rest()
    if (this.#broken !== null) throw this.#broken
  }

  pass(ms: number): Promise<void> {
    return this.clock.pass(ms, () => this.settled())
  }

  async sweep(which: number): Promise<void> {
    const gateway = this.#one(this.#gateways, which)
    if (gateway !== undefined)
      this.#begun(
        gateway,
        'a sweep',
        sweep(gateway.db).catch(() => {}),
      )
  }

  /** Throws Broken where a gateway that lives is waiting for something. */
  nobodyWaits(): void {
    for (const { gateway, what } of this.#open.values()) if (gateway.alive) throw new Broken('hung', `${what} never came back`)
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case 'ask':
        return this.#ask(step)
      case 'ask again': {
        const request = this.#one(
          this.requests.filter(({ state, gateway }) => state === 'unknown' && gateway.alive),
          step.which,
        )
        if (request !== undefined) this.#begun(request.gateway, `asking again for ${request.ask.id}`, admit(request))
        return
      }
      case 'answer': {
        const call = this.#one(this.calls.waiting, step.which)
        if (call !== undefined) await this.#answer(call, step.fate)
        return
      }
      case 'answer all':
        for (let left = step.most; left > 0 && this.calls.waiting[0] !== undefined; left--) {
          await this.#answer(this.calls.waiting[0], 'passes')
          await this.settled()
        }
        return
      case 'checkpoint': {
        const request = this.#one(this.#running(), step.which)
        if (request !== undefined)
          this.#begun(request.gateway, 'a checkpoint', checkpoint(request, usedOf(request, step.share), step.leaseMs))
        return
      }
      case 'end': {
        const request = this.#one(this.#running(), step.which)
        if (request === undefined) return
        request.state = 'ended'
        const used = step.free && step.outcome !== 'completed' ? null : usedOf(request, step.share)
        this.#begun(request.gateway, `the end of ${request.ask.id}`, end(request, step.outcome, used))
        return
      }
      case 'die': {
        const index = step.gateway % this.#gateways.length
        const gateway = this.#gateways[index]
        if (gateway === undefined) return
        this.calls.end(gateway)
        this.#gateways[index] = newGateway(this.calls, index, this.#groupMax)
        return
      }
      case 'sweep':
        return this.sweep(step.gateway)
      case 'wait':
        return this.pass(step.ms)
      case 'wait for': {
        const { nowMs } = this.clock
        return this.pass(Math.max(0, (periodRenewsMs(step.edge, nowMs) ?? nowMs + DAY_MS) - nowMs + step.offsetMs))
      }
      case 'database clock':
        this.clock.databaseLagMs = step.lagMs
        return
      default:
        await this.#administer(step).catch(refusedOperator)
        return this.oracle.purses.check({ byGateway: false })
    }
  }

  /** What the operator does: at once, from another process. */
  async #administer(step: Step): Promise<void> {
    const write = (sql: string, ...params: unknown[]) => this.#store.batch([{ sql, params }])
    const key = 'key' in step ? this.#one(this.#keys, step.key) : undefined
    const customer = 'customer' in step ? (this.#one(this.#customers, step.customer) ?? 0) : 0
    switch (step.do) {
      case 'price':
        return insertPrice(this.#store, step.row, this.clock.databaseMs)
      case 'customer budget':
        return setBudget(this.#store, 'customer', customer, step.limits)
      case 'customer limits': {
        const { rpm, tpm, concurrency } = step.limits
        await write('UPDATE customers SET rpm = ?, tpm = ?, concurrency = ? WHERE id = ?', rpm, tpm, concurrency, customer)
        return
      }
      case 'customer status':
        await write('UPDATE customers SET status = ? WHERE id = ?', step.status, customer)
        return
      case 'key budget':
        if (key !== undefined) await setBudget(this.#store, 'key', key.id, step.limits)
        return
      case 'key revoked':
        if (key !== undefined) await write('UPDATE api_keys SET revoked_ms = ? WHERE id = ?', this.clock.databaseMs, key.id)
        return
      case 'new key':
        this.#keys.push(await insertKey(this.#store, customer, step.limits))
        return
      case 'customer prepaid':
      case 'pay':
      case 'redeliver':
      case 'pay by hand':
      case 'adjust':
      case 'refund':
      case 'invoice':
        return this.#moveMoney(step, customer)
    }
  }

  async #moveMoney(step: MoneyStep, customer: number): Promise<void> {
    switch (step.do) {
      case 'customer prepaid':
        return setPrepaid(this.#store, customer, step.prepaid)
      case 'pay':
      case 'redeliver': {
        const payment = this.#moves.toldBy(step, customer)
        const gateway = this.#one(this.#gateways, step.gateway)
        if (payment === null || gateway === undefined) return
        this.#begun(gateway, `payment ${payment.id}`, this.#post(gateway, payment))
        return
      }
      case 'pay by hand':
        return this.#moves.payByHand(customer, step.nano, `pi_${step.reference}`)
      case 'adjust':
        return this.#moves.adjust(customer, step.nano)
      case 'invoice':
        return invoiceLastMonth(this.#store, customer, this.clock.databaseMs)
      case 'refund': {
        const request = this.#one(this.requests, step.which)
        if (request !== undefined) await this.#moves.refund(request.ask.id, step.part)
      }
    }
  }

  async #post(gateway: Gateway, payment: Payment): Promise<void> {
    try {
      await postPayment(gateway.db, payment)
    } catch {
      // Stripe is told so, and tells of it again some time.
      return
    }
    try {
      this.oracle.purses.acknowledged(payment)
    } catch (error) {
      this.#broken ??= error
    }
  }

  #ask(step: AskStep): void {
    const gateway = this.#one(this.#gateways, step.gateway)
    const key = this.#one(this.#keys, step.key)
    if (gateway === undefined || key === undefined) return
    const ask = askOf(step, key, this.requests.length, this.clock.nowMs)
    const request: SimulatedRequest = { ask, inputBound: step.input, runs: step.runs, key, gateway, state: 'asking', hold: null }
    this.requests.push(request)
    this.#begun(gateway, `asking for ${ask.id}`, admit(request))
  }

  #running(): SimulatedRequest[] {
    return this.requests.filter(({ state, gateway }) => state === 'running' && gateway.alive)
  }

  #one<T>(from: readonly T[], which: number): T | undefined {
    return from[which % Math.max(1, from.length)]
  }

  #begun(gateway: Gateway, what: string, work: Promise<unknown>): void {
    this.#open.set(work, { gateway, what })
    void work.finally(() => this.#open.delete(work))
  }

  async #answer(call: Call, fate: Parameters<Calls['answer']>[1]): Promise<void> {
    this.#trace?.(`    ${call.life.name}: ${wordCall(call)}: ${fate}`)
    await this.calls.answer(call, fate)
  }

  async #execute(call: Call, whole: boolean): Promise<Result[] | null> {
    try {
      if (!whole) this.#store.failed?.(call.statements)
      if (!whole) return null
      const foreseen = await this.oracle.foresee(call.statements)
      const results = await this.#store.batch(call.statements)
      await this.oracle.saw(call.statements, results, foreseen)
      return results
    } catch (error) {
      this.#broken ??= error instanceof Broken ? error : new Broken('refused', `the database refused a call: ${(error as Error).message}`)
      return null
    }
  }
}

/** What the operator writes always fits. */
function refusedOperator(error: unknown): never {
  if (!/constraint failed/.test(String(error))) throw error
  throw new Broken('refused', `the database refused what the operator wrote: ${(error as Error).message}`)
}

/** What a call does, in a few words. */
function wordCall({ statements }: Call): string {
  const words = statements.map(({ sql, params }) => {
    if (sql.startsWith('INSERT INTO holds')) return `admit ${JSON.parse(String(params[0])).id.slice(-4)}`
    if (sql.startsWith('INSERT INTO usage (')) {
      const endings = JSON.parse(String(params[0])) as { id: string; outcome: string }[]
      return endings.map(({ id, outcome }) => `end ${id.slice(-4)} ${outcome}`).join(', ')
    }
    if (sql.startsWith('INSERT INTO adjustments')) return `late ${JSON.parse(String(params[0])).id.slice(-4)}`
    if (sql.startsWith('INSERT INTO payments')) return `post ${JSON.parse(String(params[0])).id}`
    if (sql.startsWith('UPDATE holds')) return `renew ${JSON.parse(String(params[0])).id.slice(-4)}`
    if (sql.startsWith('SELECT customer_id AS')) return 'what is past its lease'
    return /^\s*WITH ask/.test(sql) ? `explain ${JSON.parse(String(params[0])).id.slice(-4)}` : ''
  })
  return words.filter((word) => word !== '').join(', ')
}
