// The simulation on the ledger as it is, and on ledgers that are broken on purpose, each of which it has to find.
import { expect, test } from 'vitest'
import { drawSchedule } from './draw.ts'
import { runMany } from './many.ts'
import { MUTATIONS } from './mutations.ts'
import { parsePath } from './path.ts'
import { runSchedule } from './run-schedule.ts'
import { SqliteStore } from './sqlite-store.ts'

/** How long each of the two runs takes; the whole of it is said to fit where a machine is slow. */
const RUN_MS = 8_000
/** Within so many schedules every mutation is found. */
const SEEDS_MAX = 600

test.for([
  ['the same seeds each time', 1],
  ['seeds that nobody has run yet', Date.now() % 2 ** 32],
] as const)('no schedule breaks a promise: %s', async ([, from], { annotate }) => {
  const many = await runMany(new SqliteStore(), { from, seeds: 100_000, forMs: RUN_MS })
  const { schedules, requests, admitted, seconds } = many
  await annotate(
    `seeds from ${from}: ${schedules} schedules, ${requests} requests, ${admitted} admitted, ${Math.round(schedules / seconds)} a second`,
  )
  expect(many.found).toBeNull()
  expect(many.admitted).toBeGreaterThan(many.schedules)
})

test.for(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))('a ledger is found out, and shrunk: %s', async ([, mutation]) => {
  const store = new SqliteStore(mutation)
  const { found } = await runMany(store, { from: 1, seeds: SEEDS_MAX })
  expect(found).not.toBeNull()
  const { seed = 0, only = null } = parsePath(found?.replay ?? '') ?? {}
  expect((await runSchedule(store, drawSchedule(seed), only)).broken?.message).toBe(found?.shrunkMessage)
  // Nothing that is left can be left out, and the ledger as it is stands all of it.
  expect(only?.length).toBeLessThan(drawSchedule(seed).steps.length)
  expect((await runSchedule(new SqliteStore(), drawSchedule(seed), only)).broken).toBeNull()
})

test('a seed is a schedule: again, it does the same', async () => {
  const [one, other] = [new SqliteStore(), new SqliteStore()]
  for (let seed = 1000; seed < 1020; seed++)
    expect(await runSchedule(one, drawSchedule(seed))).toEqual(await runSchedule(other, drawSchedule(seed)))
})
