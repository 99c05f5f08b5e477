// The requests of a schedule, from ask to end, by the real code of the ledger.
import type { Ask, Hold } from '../../worker/ledger/admission.ts'
import { Group } from '../../worker/ledger/group.ts'
import { renew } from '../../worker/ledger/lease.ts'
import { type Ending, settleSurely } from '../../worker/ledger/settlement.ts'
import type { NanoUsd } from '../../worker/money.ts'
import { costOf, UNUSED, type Used } from '../../worker/pricing.ts'
import type { Calls, Life } from './calls.ts'
import type { SimulatedKey } from './setup.ts'
import { type AskStep, MODELS, type Share } from './steps.ts'

export interface Gateway extends Life {
  db: D1Database
  group: Group
}

export interface SimulatedRequest {
  ask: Ask
  inputBound: number
  runs: number
  key: SimulatedKey
  gateway: Gateway
  /** `unknown`: the ledger gave no answer. */
  state: 'asking' | 'running' | 'refused' | 'unknown' | 'ended'
  hold: Hold | null
}

export function newGateway(calls: Calls, number: number, max: number): Gateway {
  const life: Life = { name: `gateway ${number}`, alive: true }
  const db = calls.database(life)
  return Object.assign(life, { db, group: new Group(db, { max }) })
}

export function askOf(step: AskStep, key: SimulatedKey, number: number, nowMs: number): Ask {
  const model = MODELS[step.model % MODELS.length] ?? MODELS[0]
  const { input: inputBound, output: outputAsked, least: outputLeast, runs, rereads, cacheWrite, leaseMs } = step
  const time = (nowMs - step.idLagMs).toString(16).padStart(12, '0')
  const reading = { inputBound, outputAsked, outputLeast, runs, rereads, cacheWrite, leaseMs }
  return {
    id: `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(number).padStart(12, '0')}`,
    keyHash: key.hash,
    model: model.canonical,
    name: model.name,
    dialect: 'simulated',
    readings: { [model.upstream]: reading },
    hostConcurrency: 20,
    deadlineMs: 600_000,
  }
}

/** What a request has used by its share of what it may. */
export function usedOf({ hold, inputBound, runs }: SimulatedRequest, share: Share): Used {
  if (hold === null) return UNUSED
  const part = (of: number, thousandths: number) => Math.floor((of * thousandths) / 1000)
  const vendor = hold.upstream !== 'ollama'
  const input = part(inputBound, share.input)
  const cached = part(input, share.cached)
  const cacheWrite = vendor ? part(input - cached, share.written) : 0
  const cacheWriteLong = vendor ? part(input - cached - cacheWrite, share.writtenLong) : 0
  const output = part(hold.outputLimit * runs, share.output)
  return {
    input,
    cached,
    cacheWrite,
    cacheWriteLong,
    output,
    reasoning: vendor ? part(output, share.cached) : 0,
    gpuMs: vendor ? 0 : share.gpuMs,
  }
}

export async function admit(request: SimulatedRequest): Promise<void> {
  request.state = 'asking'
  try {
    const verdict = await request.gateway.group.admit(request.ask, () => {})
    request.state = verdict.admitted ? 'running' : 'refused'
    if (verdict.admitted) request.hold = verdict.hold
  } catch {
    request.state = 'unknown'
  }
}

export function checkpoint({ gateway, key, ask, hold }: SimulatedRequest, used: Used, leaseMs: number): Promise<void> {
  if (hold === null) return Promise.resolve()
  const costNano = costOf(hold.price, used)
  // As a gateway does: one that fails is tried again later.
  return renew(gateway.db, { customerId: key.customerId, id: ask.id, costNano, used, firstMs: 5, leaseMs }).then(
    () => {},
    () => {},
  )
}

/** As a gateway ends a request: it tries for as long as it may, and leaves the rest to the sweep. `used` null: nothing is charged. */
export function end({ gateway, key, ask, hold }: SimulatedRequest, outcome: Ending['outcome'], used: Used | null): Promise<void> {
  const costNano = used === null || hold === null ? (0 as NanoUsd) : costOf(hold.price, used)
  const ending: Ending = {
    customerId: key.customerId,
    keyId: key.id,
    id: ask.id,
    outcome,
    estimated: false,
    costNano,
    used: used ?? UNUSED,
    firstMs: null,
  }
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
  return settleSurely(() => gateway.group.settle(ending, () => {}), sleep).catch(() => {})
}
