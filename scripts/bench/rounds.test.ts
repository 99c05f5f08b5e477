import { expect, test } from 'vitest'
import { interleave, order } from './rounds.ts'

test('each subject runs once a round, and the first round is not counted', async () => {
  const ran: string[] = []
  const results = await interleave(['a', 'b', 'c'], 2, async (subject, round) => {
    ran.push(`${round}: ${subject}`)
    return round
  })
  expect(ran.filter((entry) => entry.startsWith('warm-up'))).toHaveLength(3)
  expect(results).toEqual(['a', 'b', 'c'].map((subject) => ({ subject, runs: ['round 1 of 2', 'round 2 of 2'] })))
})

test('nobody always comes after the same one', () => {
  const rounds = Array.from({ length: 5 }, (_, round) => order(['a', 'b', 'c', 'd'], round))
  const before = (name: string) => new Set(rounds.map((names) => names[names.indexOf(name) - 1]))
  for (const name of ['a', 'b', 'c', 'd']) expect(before(name).size).toBeGreaterThan(1)
  for (const names of rounds) expect([...names].sort()).toEqual(['a', 'b', 'c', 'd'])
})
