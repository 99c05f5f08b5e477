// Whether the operator has ended a running request (`kill`): looked at while it runs, more seldom the longer it has run, once for all of an isolate.
import type { Exchange } from './exchange.ts'
import { causeOf, log } from './log.ts'
import { Remembered } from './remembered.ts'
import { within } from './within.ts'

/** How long a look serves the other requests of the isolate, milliseconds. */
const LOOK_MS = 1_000
/** How long a look of another request's is waited for, milliseconds: its own may have died under it. */
const LOOK_PATIENCE_MS = 10_000
/** From then on only the renewals of its lease look: a request that runs for hours has no more than the free plan's 50 queries. */
const LOOKS_MAX = 20

const looks = new WeakMap<D1Database, Remembered<ReadonlySet<string>>>()

/** How long after a look at this age the next one is, milliseconds; `firstMs`: when the first was. */
function nextLookMs(ageMs: number, firstMs: number): number {
  return Math.max(firstMs, ageMs / 4)
}

/** Calls `killed` once, if the operator ends the request `id`. Returns what stops looking. */
export function watchForKill({ config, db, defer }: Exchange, id: string, killed: () => void): () => void {
  const startMs = Date.now()
  let left = LOOKS_MAX
  let timer = setTimeout(look, config.killCheckMs)

  function look(): void {
    left--
    const looking = within(LOOK_PATIENCE_MS, killedIds(db, defer))
      .then((ids) => {
        if (ids?.has(id)) {
          left = 0
          killed()
        }
      })
      .catch((error) => log({ event: 'error', code: 'kill_check_failed', request_id: id, message: causeOf(error) }))
      .finally(() => {
        if (left > 0) timer = setTimeout(look, nextLookMs(Date.now() - startMs, config.killCheckMs))
      })
    defer(looking)
  }

  return () => {
    left = 0
    clearTimeout(timer)
  }
}

function killedIds(db: D1Database, defer: Exchange['defer']): Promise<ReadonlySet<string>> {
  let remembered = looks.get(db)
  if (remembered === undefined) {
    remembered = new Remembered(LOOK_MS)
    looks.set(db, remembered)
  }
  const find = async () => {
    const { results } = await db.prepare('SELECT id FROM holds WHERE killed_ms IS NOT NULL').all<{ id: string }>()
    return new Set(results.map(({ id }) => id))
  }
  return remembered.get('killed', find, defer)
}
