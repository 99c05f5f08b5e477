import { expect, test } from 'vitest'
import type { Io } from './context.ts'
import { exportProgress } from './export-progress.ts'

const NOON = Date.UTC(2026, 10, 12, 12)

function progressOn(terminal: Io['terminal'], toOutput: boolean) {
  const said: string[] = []
  const clock = { ms: 0 }
  const err = (text: string) => void said.push(text)
  const io: Io = { out: async () => {}, err, ask: null, directory: '/', environment: {}, ...(terminal ? { terminal } : {}) }
  return { said, clock, progress: exportProgress(io, 10_000, toOutput, () => clock.ms) }
}

test('on a terminal it is a bar with its percent, drawn over itself, as wide as there is room, and taken away at the end', () => {
  const { said, clock, progress } = progressOn({ columns: 80, isOut: true }, false)
  progress.said(1000, NOON)
  clock.ms = 150
  progress.said(5000, NOON)
  clock.ms = 300
  // More has come in than there was at the start.
  progress.said(10_500, NOON)
  progress.end()
  expect(said).toEqual([
    `\r\x1b[2K${'█'.repeat(12)}${'░'.repeat(12)}  50 %  5,000 of 10,000 requests, up to 2026-11-12`,
    `\r\x1b[2K${'█'.repeat(24)} 100 %  10,500 of 10,000 requests, up to 2026-11-12`,
    '\r\x1b[2K',
  ])
  const narrow = progressOn({ columns: 40, isOut: true }, false)
  narrow.clock.ms = 150
  narrow.progress.said(1, NOON)
  expect(narrow.said[0]).toHaveLength(39 + '\r\x1b[2K'.length)
})

test('elsewhere it is a line each two seconds', () => {
  const { said, clock, progress } = progressOn(undefined, true)
  for (clock.ms = 0; clock.ms < 5000; clock.ms += 500) progress.said(clock.ms, NOON)
  progress.end()
  expect(said).toEqual(['20 %  2,000 of 10,000 requests, up to 2026-11-12 …\n', '40 %  4,000 of 10,000 requests, up to 2026-11-12 …\n'])
})

test('between rows on a terminal there is nothing', () => {
  const { said, clock, progress } = progressOn({ columns: 80, isOut: true }, true)
  clock.ms = 9000
  progress.said(1, NOON)
  progress.end()
  expect(said).toEqual([])
})
