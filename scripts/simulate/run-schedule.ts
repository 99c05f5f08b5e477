// Runs a schedule to its end and says whether every promise held.
import { proveLedger } from '../../worker/ledger/proofs.ts'
import { Broken, type Vow } from './broken.ts'
import type { Schedule } from './steps.ts'
import type { Store } from './store.ts'
import { type Trace, World } from './world.ts'

export interface Outcome {
  seed: number
  /** null: every promise held. */
  broken: { kind: Vow; message: string; step: number } | null
  requests: number
  admitted: number
  /** Of all tables, for a comparison with another database. */
  digest: string
}

/** Past every lease that a schedule gives. */
const ALL_LEASES_MS = 700_000
const ROUNDS_MAX = 200

/** `only`: the steps that are done, by their place; without it, all. */
export async function runSchedule(
  store: Store,
  schedule: Schedule,
  only: readonly number[] | null = null,
  trace: Trace | null = null,
): Promise<Outcome> {
  const { seed, beginning, steps } = schedule
  const world = new World(store, beginning, trace)
  const restore = world.clock.install()
  let at = -1
  let broken: Outcome['broken'] = null
  try {
    await world.begin(beginning)
    for (const place of only ?? steps.keys()) {
      const step = steps[place]
      if (step === undefined) continue
      at = place
      trace?.(`${String(place).padStart(3)} ${new Date(world.clock.databaseMs).toISOString()} ${JSON.stringify(step)}`)
      await world.step(step)
    }
    at = steps.length
    trace?.('end: what is under way comes back, and the sweep settles the rest')
    await windUp(world)
    await agrees(store)
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    broken = { kind: error.kind, message: error.message, step: at }
    trace?.(`BROKEN ${error.message}`)
  } finally {
    restore()
  }
  return {
    seed,
    broken,
    requests: world.requests.length,
    admitted: world.oracle.known.size,
    digest: broken === null ? await digestOf(store) : '',
  }
}

async function windUp(world: World): Promise<void> {
  await quiet(world)
  world.nobodyWaits()
  world.clock.databaseLagMs = 0
  await world.pass(ALL_LEASES_MS)
  await world.sweep(0)
  await world.settled()
  await quiet(world)
  await world.oracle.end()
}

/** Until nothing is under way and no timer runs. */
async function quiet(world: World): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    while (world.calls.waiting.length > 0) await world.step({ do: 'answer all', most: 100 })
    world.calls.giveUp()
    await world.settled()
    if (world.calls.waiting.length > 0) continue
    if (world.clock.waiting === 0) return
    await world.pass(1_000)
  }
  throw new Broken('hung', 'there is no end to what is under way')
}

async function agrees(store: Store): Promise<void> {
  const proven = await proveLedger((sql) => store.all(sql))
  for (const { proof, disagreeing } of proven)
    if (disagreeing.length > 0) throw new Broken('sums', `not true: ${proof}: ${JSON.stringify(disagreeing[0])}`)
}

/** cyrb53 of every row that the ledger wrote, in the order of their keys, as tables without a rowid give them. */
async function digestOf(store: Store): Promise<string> {
  let [high, low] = [0xdeadbeef, 0x41c6ce57]
  for (const table of ['usage', 'adjustments', 'payments', 'invoices', 'spend', 'usage_daily']) {
    const text = JSON.stringify(await store.all(`SELECT * FROM ${table}`))
    for (let index = 0; index < text.length; index++) {
      high = Math.imul(high ^ text.charCodeAt(index), 2654435761)
      low = Math.imul(low ^ text.charCodeAt(index), 1597334677)
    }
  }
  return `${(high >>> 0).toString(16).padStart(8, '0')}${(low >>> 0).toString(16).padStart(8, '0')}`
}
