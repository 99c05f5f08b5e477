// Moves money: as Stripe tells a gateway of it, more than once, and as the operator's commands do, at once and from another process.

import type { Payment } from '../../worker/ledger/payments.ts'
import { rebuildSpendSql } from '../../worker/ledger/periods.ts'
import type { NanoUsd } from '../../worker/money.ts'
import { ADJUST, BOOKED_BEFORE, INVOICE_HAS_LESS, PAY, REFUND } from '../admin/money-sql.ts'
import { Broken } from './broken.ts'
import { refundableOf } from './invoiced.ts'
import type { Oracle } from './oracle.ts'
import type { MoneyStep } from './steps.ts'
import type { Statement, Store } from './store.ts'

/** What the database says to what it had before, or to more than an invoice has left. */
const REFUSALS = ['UNIQUE constraint failed: adjustments', 'UNIQUE constraint failed: payments', BOOKED_BEFORE, INVOICE_HAS_LESS]

export class Moves {
  readonly #store: Store
  readonly #oracle: Oracle
  readonly #payments: Payment[] = []
  #events = 0

  constructor(store: Store, oracle: Oracle) {
    this.#store = store
    this.#oracle = oracle
  }

  /** What Stripe tells of; null: there is nothing to tell of again. */
  toldBy(step: MoneyStep & { do: 'pay' | 'redeliver' }, customerId: number): Payment | null {
    const id = `stripe:evt_${++this.#events}`
    if (step.do === 'redeliver') {
      const told = this.#payments[step.which % Math.max(1, this.#payments.length)]
      return told === undefined ? null : step.sameEvent ? told : { ...told, id }
    }
    const payment = { customerId, id, amountNano: step.nano as NanoUsd, reference: `pi_${step.reference}`, reason: '' }
    this.#payments.push(payment)
    return payment
  }

  async payByHand(customerId: number, nano: number, reference: string): Promise<void> {
    const id = `manual:${customerId} ${nano > 0 ? 'in' : 'back'} ${reference}`
    const booked = await this.#move({ sql: PAY, params: [customerId, id, nano, reference] }, 'balance', customerId)
    this.#expect(id, booked, this.#oracle.purses.paid(customerId, id, nano, reference))
  }

  async adjust(customerId: number, nano: number): Promise<void> {
    const id = `credit:${++this.#events}`
    const booked = await this.#move({ sql: ADJUST, params: [customerId, id, nano, 'simulated'] }, 'customer', customerId)
    this.#expect(id, booked, this.#oracle.purses.adjusted(customerId, id, nano))
  }

  /** `part`: thousandths of what the request was charged. */
  async refund(requestId: string, part: number | null): Promise<void> {
    const charged = this.#oracle.chargedOf(requestId)
    const nano = charged === null || part === null ? charged?.nano : Math.floor((charged.nano * part) / 1000)
    const most = charged === null ? 0 : await refundableOf(this.#store, requestId, charged.customerId, charged.createdMs)
    const change: Statement = { sql: REFUND, params: [requestId, part === null ? null : (nano ?? 0), 'simulated'] }
    const booked = await this.#move(change, 'customer', charged?.customerId ?? 0, charged?.keyId)
    if (charged === null || nano === undefined || nano < 1 || nano > charged.nano) return
    if (nano > most) return this.#expect(requestId, booked, false)
    const due = await this.#oracle.dueDayOf(charged.customerId, charged.createdMs)
    const isFirst = this.#oracle.purses.adjusted(charged.customerId, `refund:${requestId}`, -nano)
    this.#expect(requestId, booked, isFirst)
    if (!isFirst) return
    const [row] = await this.#store.all("SELECT day FROM adjustments WHERE usage_id = ? AND id LIKE 'refund:%'", [requestId])
    if (row?.day !== due) throw new Broken('sums', `the refund of request ${requestId} counts for day ${row?.day}, and should for ${due}`)
  }

  /** As the commands do: the row, and the sums that it changes. False: the database had it before, or the invoice has less left. */
  async #move(change: Statement, owner: 'customer' | 'balance', customerId: number, keyId?: number): Promise<boolean> {
    const rebuild = (of: 'customer' | 'key' | 'balance', id: number) => rebuildSpendSql(of).map((sql) => ({ sql, params: [id] }))
    try {
      await this.#store.batch([change, ...rebuild(owner, customerId), ...(keyId === undefined ? [] : rebuild('key', keyId))])
      return true
    } catch (error) {
      if (REFUSALS.some((refusal) => String(error).includes(refusal))) return false
      throw error
    }
  }

  #expect(what: string, booked: boolean, due: boolean): void {
    if (booked !== due) throw new Broken(booked ? 'twice' : 'lost', `${what} was ${booked ? 'booked again' : 'not booked'}`)
  }
}
