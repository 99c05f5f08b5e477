// A sample of the simulation on a real D1 in workerd: the same schedules come to the same rows as on SQLite in Node, where most of them run.
import simulated from 'virtual:simulated'
import { expect, test } from 'vitest'
import { drawSchedule } from '../../scripts/simulate/draw.ts'
import { runSchedule } from '../../scripts/simulate/run-schedule.ts'
import { D1Store } from '../testing/d1-store.ts'

test('each schedule comes to the same on D1 as on SQLite', { timeout: 240_000 }, async () => {
  expect(simulated.length).toBeGreaterThan(10)
  const store = new D1Store()
  for (const outcome of simulated) expect(await runSchedule(store, drawSchedule(outcome.seed))).toEqual(outcome)
})
