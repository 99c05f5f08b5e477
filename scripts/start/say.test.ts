import { expect, test } from 'vitest'
import { stopProgress } from './say.ts'

test('a stop tells of every change at once, and of nothing else more than every two seconds', () => {
  const lines: string[] = []
  const tell = stopProgress((line) => lines.push(line))
  for (let leftMs = 5000; leftMs > 2500; leftMs -= 100) tell(2, 'grace', leftMs)
  tell(1, 'grace', 2500)
  tell(1, 'grace', 2400)
  tell(1, 'settle', 35_000)
  expect(lines).toEqual([
    '2 requests still running, cut off in 5 s. Ctrl-C again ends at once.',
    '2 requests still running, cut off in 3 s. Ctrl-C again ends at once.',
    '1 request still running, cut off in 3 s. Ctrl-C again ends at once.',
    '1 request cut off, being settled (35 s at most) …',
  ])
})
