// A hold is a lease: renewed while bytes flow, and each renewal writes down what has been delivered so far.
import type { NanoUsd } from '../money.ts'
import type { Used } from '../pricing.ts'
import { retryTransient } from './retry.ts'

/** The shortest renewal; a stream that has run for longer gets as long again as it has run. */
const RENEWAL_LEAST_MS = 90_000

/** Beyond the moment at which the next renewal is due at the latest, so that one that fails can be tried again. */
const RENEWAL_SLACK_MS = 30_000

export interface Checkpoint {
  customerId: number
  id: string
  costNano: NanoUsd
  used: Used
  firstMs: number | null
  leaseMs: number
}

/** How long a lease a stream of this age gets, with room for a silence of `idleMs` before the next checkpoint is due. */
export function renewalMs(ageMs: number, idleMs: number): number {
  return Math.max(RENEWAL_LEAST_MS, ageMs) + idleMs + RENEWAL_SLACK_MS
}

/**
 * The dearest checkpoint stands, whole: an estimate may come down once the upstream has counted, and a renewal may arrive after a later one; what
 * a checkpoint says was used has to be what its cost was made of.
 */
const checkpoint = (column: string, said: string) =>
  `checkpoint_${column} = iif(?1 ->> 'costNano' >= checkpoint_nano, ?1 ->> '${said}', checkpoint_${column})`

const RENEW = `UPDATE holds SET expires_ms = max(expires_ms, CAST(unixepoch('subsec') * 1000 AS INTEGER) + (?1 ->> 'leaseMs')),
  checkpoint_nano = max(checkpoint_nano, ?1 ->> 'costNano'), ${checkpoint('input', '$.used.input')}, ${checkpoint('output', '$.used.output')},
  ${checkpoint('gpu_ms', '$.used.gpuMs')}, ${checkpoint('first_ms', 'firstMs')}
  WHERE customer_id = ?1 ->> 'customerId' AND id = ?1 ->> 'id' RETURNING killed_ms IS NOT NULL AS killed`

/** Renews a lease: one row written. A hold that has gone stays gone: its end will be posted late. Returns whether the operator has ended the request. */
export async function renew(db: D1Database, checkpoint: Checkpoint): Promise<boolean> {
  const { results } = await retryTransient(() => db.prepare(RENEW).bind(JSON.stringify(checkpoint)).run<{ killed: number }>())
  return results[0]?.killed === 1
}
