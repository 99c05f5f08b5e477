// Knows from what was told what each customer has paid and was adjusted by, and compares the rows and the balance with it after every move.
import type { Payment } from '../../worker/ledger/payments.ts'
import { leftOf, type Money, moneyOf } from './books.ts'
import { Broken } from './broken.ts'
import type { Store } from './store.ts'

interface Due {
  rows: number
  nano: number
}

/** What counts once: the same money, whatever events tell of it, and whoever books it. */
const referenceOf = ({ customerId, amountNano, reference }: Pick<Payment, 'customerId' | 'reference'> & { amountNano: number }) =>
  `${customerId} ${amountNano > 0 ? 'in' : 'back'} ${reference}`

export class Purses {
  readonly #store: Store
  readonly #paid = new Map<number, Due>()
  readonly #adjusted = new Map<number, Due>()
  readonly #counted = new Set<string>()
  /** As the last check saw it: nothing moves money in between. */
  #last: readonly Money[] = []

  constructor(store: Store) {
    this.#store = store
  }

  /** A payment of Stripe's was carried out. */
  paidByStripe(payment: Payment): void {
    if (this.#counts(payment.id, referenceOf(payment))) add(this.#paid, payment.customerId, payment.amountNano)
  }

  /** Stripe was told that it is booked, and tells of it no more. Throws Broken. */
  acknowledged(payment: Payment): void {
    if (!this.#counted.has(referenceOf(payment))) throw new Broken('lost', `payment ${payment.id} was acknowledged, and is not booked`)
  }

  /** Money that was moved by hand. Returns false where it was before, so that no row may come of it. */
  paid(customerId: number, id: string, nano: number, reference: string): boolean {
    const counts = this.#counts(id, referenceOf({ customerId, amountNano: nano, reference }))
    if (counts) add(this.#paid, customerId, nano)
    return counts
  }

  /** The same of an adjustment. */
  adjusted(customerId: number, id: string, nano: number): boolean {
    const counts = this.#counts(id)
    if (counts) add(this.#adjusted, customerId, nano)
    return counts
  }

  #counts(...names: string[]): boolean {
    if (names.some((name) => this.#counted.has(name))) return false
    for (const name of names) this.#counted.add(name)
    return true
  }

  /** After each move; `byGateway`: no more than was left before it is gone, and what was paid is there. Throws Broken. */
  async check({ byGateway }: { byGateway: boolean }): Promise<void> {
    const before = byGateway ? this.#last : []
    this.#last = await moneyOf(this.#store)
    for (const now of this.#last) {
      compare('payments', now, { rows: now.payments, nano: now.paidNano }, this.#paid)
      compare('adjustments', now, { rows: now.adjustments, nano: now.adjustedNano }, this.#adjusted)
      const due = now.prepaid ? now.usedNano + now.adjustedNano - now.paidNano : 0
      if ((now.summedNano ?? 0) !== due || (!now.prepaid && now.summedNano !== null))
        throw new Broken('sums', `the balance of customer ${now.customerId} is summed as ${now.summedNano}, and its rows come to ${due}`)
      const then = before.find(({ customerId }) => customerId === now.customerId)
      if (then === undefined || !now.prepaid) continue
      const least = Math.min(0, leftOf(then)) + now.stripeNano - then.stripeNano
      if (leftOf(now) < least)
        throw new Broken('overspend', `customer ${now.customerId}: ${leftOf(then)} nano were left, and now ${leftOf(now)}`)
    }
  }
}

function add(sums: Map<number, Due>, customerId: number, nano: number): void {
  const { rows, nano: sum } = sums.get(customerId) ?? { rows: 0, nano: 0 }
  sums.set(customerId, { rows: rows + 1, nano: sum + nano })
}

function compare(what: string, { customerId }: Money, stand: Due, sums: ReadonlyMap<number, Due>): void {
  const due = sums.get(customerId) ?? { rows: 0, nano: 0 }
  if (stand.rows === due.rows && stand.nano === due.nano) return
  throw new Broken(
    stand.rows > due.rows ? 'twice' : 'lost',
    `customer ${customerId} has ${stand.rows} ${what} of ${stand.nano} nano, and should have ${due.rows} of ${due.nano}`,
  )
}
