// Watches every call that is carried out, and knows by simpler means than the ledger's what must stand afterwards.

import type { Payment } from '../../worker/ledger/payments.ts'
import { DAY_MS, periodStartDay } from '../../worker/ledger/periods.ts'
import type { Ending } from '../../worker/ledger/settlement.ts'
import { isLimited, ownersOf, roomOf } from './books.ts'
import { Broken } from './broken.ts'
import { Purses } from './purses.ts'
import type { Result, Row, Statement, Store } from './store.ts'

interface Known {
  customerId: number
  keyId: number
  holdNano: number
  expiresMs: number
  checkpointNano: number
  /** Posted: what its usage row says. */
  usage: Row | null
  /** Posted after that. */
  lateNano: number
}

type Told = Pick<Ending, 'customerId' | 'id' | 'costNano'> & { keyId?: number; outcome: string }

/** What a late end must come to, known before it is carried out; null: no row. */
interface Late {
  told: Told
  amountNano: number | null
  /** The day it counts for, days since 1970. */
  day: number
}

export class Oracle {
  /** Every request that was ever given a hold. */
  readonly known = new Map<string, Known>()
  readonly purses: Purses
  readonly #store: Store
  /** The database's clock. */
  readonly #nowMs: () => number

  constructor(store: Store, nowMs: () => number) {
    this.#store = store
    this.#nowMs = nowMs
    this.purses = new Purses(store)
  }

  /** Before a call is carried out. */
  async foresee(statements: readonly Statement[]): Promise<Late | null> {
    const late = statements.find(({ sql }) => sql.startsWith('INSERT INTO adjustments'))
    return late === undefined ? null : this.#foreseeLate(JSON.parse(String(late.params[0])) as Told)
  }

  /** After it was. Throws Broken. */
  async saw(statements: readonly Statement[], results: readonly Result[], late: Late | null): Promise<void> {
    for (const [index, { sql, params }] of statements.entries()) {
      const rows = results[index]?.results ?? []
      if (sql.startsWith('INSERT INTO usage (')) await this.#sawEndings(JSON.parse(String(params[0])) as Told[], Number(params[1]), rows)
      if (sql.startsWith('INSERT INTO holds')) for (const row of rows) await this.#sawHold(row)
      if (sql.startsWith('UPDATE holds SET expires_ms')) await this.#sawRenewal(String(params[0]))
      if (sql.startsWith('INSERT INTO payments')) this.purses.paidByStripe(JSON.parse(String(params[0])) as Payment)
    }
    if (late !== null) await this.#sawLate(late)
    if (statements.some(({ sql }) => sql.startsWith('INSERT'))) await this.purses.check({ byGateway: true })
  }

  /** What a request was charged until now, its late part with it; null: it has not ended. */
  chargedOf(id: string): { customerId: number; keyId: number; createdMs: number; nano: number } | null {
    const known = this.known.get(id)
    if (known === undefined || known.usage === null) return null
    const { customerId, keyId, usage, lateNano } = known
    return { customerId, keyId, createdMs: Number(usage.created_ms), nano: Number(usage.cost_nano) + lateNano }
  }

  async #sawHold(row: Row): Promise<void> {
    const id = String(row.id)
    if (this.known.has(id)) throw new Broken('twice', `request ${id} was given a second hold`)
    const [hold] = await this.#store.all('SELECT * FROM holds WHERE id = ?', [id])
    if (hold === undefined) throw new Broken('lost', `request ${id} was admitted, and has no hold`)
    const [customerId, keyId] = [Number(hold.customer_id), Number(hold.key_id)]
    const { hold_nano: holdNano, expires_ms: expiresMs, created_ms: createdMs } = hold
    this.known.set(id, {
      customerId,
      keyId,
      holdNano: Number(holdNano),
      expiresMs: Number(expiresMs),
      checkpointNano: 0,
      usage: null,
      lateNano: 0,
    })
    for (const owner of await ownersOf(this.#store, customerId, keyId)) {
      const room = await roomOf(this.#store, owner, Number(createdMs), false)
      if (room !== null && room < 0)
        throw new Broken('overspend', `${owner.kind} ${owner.id}: request ${id} was admitted ${-room} nano past the budget`)
    }
  }

  async #sawRenewal(json: string): Promise<void> {
    const { id, costNano } = JSON.parse(json) as { id: string; costNano: number }
    const known = this.known.get(id)
    if (known === undefined || known.usage !== null) return
    known.checkpointNano = Math.max(known.checkpointNano, costNano)
    const [hold] = await this.#store.all('SELECT expires_ms FROM holds WHERE id = ?', [id])
    if (hold === undefined) throw new Broken('lost', `the hold of request ${id} has gone`)
    known.expiresMs = Number(hold.expires_ms)
  }

  async #sawEndings(told: readonly Told[], expiredMs: number, rows: readonly Row[]): Promise<void> {
    const posted = new Set(rows.map(({ id }) => String(id)))
    for (const ending of told) {
      const known = this.known.get(ending.id)
      const stands = known !== undefined && known.usage === null
      const due = stands && (ending.outcome !== 'expired' || known.expiresMs <= expiredMs)
      if (posted.has(ending.id) && !due)
        throw new Broken('twice', `request ${ending.id} was posted as ${ending.outcome}, and should not have been`)
      if (!posted.has(ending.id) && due) throw new Broken('lost', `the end of request ${ending.id} (${ending.outcome}) was not posted`)
      if (due) await this.#sawPosted(known, ending)
    }
  }

  async #sawPosted(known: Known, told: Told): Promise<void> {
    const [row] = await this.#store.all('SELECT * FROM usage WHERE id = ?', [told.id])
    if (row === undefined) throw new Broken('lost', `request ${told.id} has no usage row`)
    const limited = isLimited(await ownersOf(this.#store, known.customerId, known.keyId))
    const full = told.outcome === 'expired' ? known.checkpointNano : told.costNano
    const cost = limited ? Math.min(full, known.holdNano) : full
    if (row.cost_nano !== cost || row.over_nano !== full - cost || row.outcome !== told.outcome)
      throw new Broken(
        limited && Number(row.cost_nano) > known.holdNano ? 'overspend' : 'lost',
        `request ${told.id} was told to cost ${full} (hold ${known.holdNano}), and is ${row.outcome} at ${row.cost_nano} + ${row.over_nano}`,
      )
    known.usage = row
  }

  async #foreseeLate(told: Told): Promise<Late> {
    const known = this.known.get(told.id)
    const [earlier] = await this.#store.all("SELECT amount_nano, day FROM adjustments WHERE id = 'late:' || ?", [told.id])
    if (earlier !== undefined) return { told, amountNano: Number(earlier.amount_nano), day: Number(earlier.day) }
    if (known?.usage?.outcome !== 'expired') return { told, amountNano: null, day: 0 }
    const day = await this.dueDayOf(known.customerId, Number(known.usage.created_ms))
    const owners = await ownersOf(this.#store, known.customerId, known.keyId)
    let amount = (isLimited(owners) ? Math.min(told.costNano, known.holdNano) : told.costNano) - Number(known.usage.cost_nano)
    for (const owner of owners) amount = Math.min(amount, (await roomOf(this.#store, owner, day * DAY_MS, true)) ?? amount)
    return { told, amountNano: amount > 0 ? amount : null, day }
  }

  /** The day that money counts for which belongs to `createdMs`: that day, or today where its month has been invoiced. */
  async dueDayOf(customerId: number, createdMs: number): Promise<number> {
    const month = periodStartDay('month', createdMs)
    const invoices = await this.#store.all('SELECT id FROM invoices WHERE customer_id = ? AND month = ?', [customerId, month])
    return Math.floor((invoices.length > 0 ? this.#nowMs() : createdMs) / DAY_MS)
  }

  async #sawLate({ told, amountNano, day }: Late): Promise<void> {
    const rows = await this.#store.all("SELECT amount_nano, day FROM adjustments WHERE usage_id = ? AND id LIKE 'late:%'", [told.id])
    if (rows.length > 1) throw new Broken('twice', `the late end of request ${told.id} was posted ${rows.length} times`)
    const amount = (rows[0]?.amount_nano ?? null) as number | null
    if (amount !== null && rows[0]?.day !== day)
      throw new Broken('sums', `the late end of request ${told.id} counts for day ${rows[0]?.day}, and should for ${day}`)
    if (amount === amountNano) return this.#keepLate(told.id, amountNano)
    const kind = (amount ?? 0) > (amountNano ?? 0) ? 'overspend' : 'lost'
    throw new Broken(kind, `the late end of request ${told.id} is ${amount}, and should be ${amountNano}`)
  }

  #keepLate(id: string, amountNano: number | null): void {
    const known = this.known.get(id)
    if (known === undefined || amountNano === null) return
    known.lateNano = amountNano
    this.purses.adjusted(known.customerId, `late:${id}`, amountNano)
  }

  /** When everything has ended: each request that was given a hold has one usage row, and nothing else is there. Throws Broken. */
  async end(): Promise<void> {
    const [holds, usage] = [await this.#store.all('SELECT id FROM holds'), await this.#store.all('SELECT * FROM usage')]
    if (holds.length > 0) throw new Broken('lost', `the hold of request ${holds[0]?.id} was never settled`)
    for (const row of usage) {
      const known = this.known.get(String(row.id))
      if (known === undefined) throw new Broken('twice', `usage ${row.id} is of no request that was admitted`)
      if (JSON.stringify(known.usage) !== JSON.stringify(row)) throw new Broken('lost', `usage ${row.id} is not what was posted`)
    }
    if (usage.length !== this.known.size)
      throw new Broken('lost', `${this.known.size} requests were admitted, ${usage.length} have a usage row`)
  }
}
