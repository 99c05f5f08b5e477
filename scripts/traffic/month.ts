// Makes the month: the cast, then each step at its minute, by real requests to the gateway.

import { DAY_MS } from '../../worker/ledger/periods.ts'
import type { Month } from '../admin/month.ts'
import type { Bundle } from '../start/bundle.ts'
import { CAST } from './cast.ts'
import { startTrafficGateway, type TrafficGateway } from './gateway.ts'
import { type Call, type Fate, planMonth } from './plan.ts'

export interface MonthOptions {
  bundle: Bundle
  /** Absolute, and without a ledger yet. */
  stateDir: string
  month: Month
  requests: number
  seed: number
  /** Hears of each day. */
  onDay(day: number, asked: number): void
  /** Ends it after the step that is under way. */
  signal?: AbortSignal
}

export interface MadeMonth {
  /** In the order of their ids. */
  keys: string[]
  asked: number
  /** How callers saw their requests end: HTTP status, or 'left' and 'cut'. */
  answers: Map<string, number>
  /** The day that was not ended; null: the month is whole. */
  brokenOff: number | null
}

export async function makeMonth({ bundle, stateDir, month, requests, seed, onDay, signal }: MonthOptions): Promise<MadeMonth> {
  const gateway = await startTrafficGateway(bundle, stateDir)
  const made: MadeMonth = { keys: [], asked: 0, answers: new Map(), brokenOff: null }
  try {
    await gateway.setClock(month.first * DAY_MS + 60_000)
    made.keys = await makeCast(gateway)
    let day = month.first
    for (const step of planMonth(month, requests, seed)) {
      const today = Math.floor(step.atMs / DAY_MS)
      if (today !== day) onDay(day, made.asked)
      day = today
      if (signal?.aborted) {
        made.brokenOff = day
        break
      }
      await gateway.setClock(step.atMs)
      if ('command' in step) await gateway.admin(...step.command)
      else await play(gateway, step, made)
    }
    await gateway.settled()
    onDay(day, made.asked)
    return made
  } finally {
    await gateway.stop()
  }
}

async function makeCast(gateway: TrafficGateway): Promise<string[]> {
  const keys: string[] = []
  for (const { name, email, address, options, keys: theirs } of CAST) {
    const { id } = await gateway.admin<{ id: number }>('create-customer', name, email, ...options)
    await gateway.admin('update-customer', String(id), ...address.flatMap((line) => ['--address', line]))
    for (const key of theirs) {
      const made = await gateway.admin<{ key: string }>('generate-key', String(id), '--name', key.name, ...(key.options ?? []))
      keys.push(made.key)
    }
  }
  return keys
}

async function play(gateway: TrafficGateway, { fate, calls }: { fate: Fate; calls: Call[] }, made: MadeMonth): Promise<void> {
  const slow = fate === 'hang-up' || fate === 'power-cut'
  gateway.standIn.setPace(slow ? 10 : 'instant')
  if (fate === 'broken') for (const _ of calls) gateway.standIn.fault({ kind: 'broken', afterChunks: 5 })
  const ends = await Promise.all(calls.map((call) => send(gateway, call, made.keys[call.keyId - 1] ?? '', fate)))
  for (const end of ends) made.answers.set(end, (made.answers.get(end) ?? 0) + 1)
  made.asked += calls.length
  // A request that was refused has met no fault.
  gateway.standIn.reset()
}

/** One request, as its caller sees it end. */
async function send(gateway: TrafficGateway, { path, body }: Call, key: string, fate: Fate): Promise<string> {
  const leave = new AbortController()
  const answer = await fetch(gateway.url() + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: leave.signal,
  })
  if (answer.status !== 200 || answer.body === null || fate === 'answered') {
    await answer.text()
    return String(answer.status)
  }
  const reader = answer.body.getReader()
  await reader.read()
  if (fate === 'hang-up') {
    leave.abort()
    return 'left'
  }
  if (fate === 'power-cut') await gateway.powerCut()
  try {
    while (!(await reader.read()).done);
    // Some dialects say in a last frame that the host broke off.
    return fate === 'broken' ? 'cut' : '200'
  } catch {
    return 'cut'
  }
}
