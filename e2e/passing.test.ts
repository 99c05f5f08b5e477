// How a streamed answer passes, in real workerd: when JavaScript is woken, what a stalled caller costs, and every way to end.
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Passing, startPassing } from './passing.ts'

let passing: Passing

beforeAll(async () => {
  passing = await startPassing()
})
afterAll(() => passing.stop())

const LINE = Buffer.from(`${'x'.repeat(229)}\n`)
const WAYS = ['native', 'relay'] as const

/** Sends `count` lines, so many at each tick of so many milliseconds. Resolves with what had been sent when. */
function paced(response: ServerResponse, count: number, each: number, everyMs: number): Promise<[nowMs: number, bytes: number][]> {
  return new Promise((resolve) => {
    const sent: [number, number][] = []
    const timer = setInterval(() => {
      for (let at = 0; at < each && sent.length < count; at++) {
        response.write(LINE)
        sent.push([Date.now(), (sent.length + 1) * LINE.byteLength])
      }
      if (sent.length < count) return
      clearInterval(timer)
      resolve(sent)
    }, everyMs)
  })
}

/** Writes as fast as it is taken, until `bytes` are written or nothing more is taken: long lines, as a reader may take for one token each. */
function flood(response: ServerResponse, bytes: number): { taken(): number; all: Promise<void> } {
  const piece = Buffer.from(`${'x'.repeat(65_535)}\n`)
  let taken = 0
  const all = new Promise<void>((resolve) => {
    const next = () => {
      taken += piece.byteLength
      if (taken >= bytes) response.end(piece, () => resolve())
      else response.write(piece, next)
    }
    response.write(piece, next)
  })
  return { taken: () => taken, all }
}

test('the first chunk is handed on and seen at once, while the host waits before its second', async () => {
  const { host, caller } = await passing.call({ way: 'native' })
  host.response.write(LINE)
  await expect.poll(() => caller.received()).toBe(LINE.byteLength)
  await expect.poll(async () => (await passing.seen()).bytes).toBe(LINE.byteLength)
  // The read alone: no timer came before it.
  expect((await passing.seen()).wakes).toBe(1)
  host.response.end()
  await caller.body
})

test('before the first token each chunk is seen as it comes', async () => {
  const { host, caller } = await passing.call({ way: 'native', leadBytes: 4 * LINE.byteLength })
  for (let lines = 1; lines <= 5; lines++) {
    host.response.write(LINE)
    await expect.poll(async () => (await passing.seen()).bytes).toBe(lines * LINE.byteLength)
    expect((await passing.seen()).wakes).toBe(lines)
  }
  host.response.end()
  await caller.body
})

test.for([
  [50, 150, 1, 20],
  [2000, 6000, 2, 1],
] as const)(
  '%i chunks a second wake JavaScript four times a second, and are seen at once or after the pause',
  async ([, count, each, everyMs]) => {
    const { host, caller } = await passing.call({ way: 'native' })
    const startMs = Date.now()
    const sent = await paced(host.response, count, each, everyMs)
    const seconds = (Date.now() - startMs) / 1000
    const { wakes } = await passing.seen()
    // Beside the first read; and reads that ask for more until one holds all that comes in a pause.
    expect(wakes).toBeLessThanOrEqual(Math.ceil(seconds * 4) + 4)
    host.response.end()
    expect((await caller.body).byteLength).toBe(count * LINE.byteLength)
    await expect.poll(async () => (await passing.seen()).ends).toEqual(['ended'])
    const { readings, bytes } = await passing.seen()
    expect(bytes).toBe(count * LINE.byteLength)
    const lags = sent.map(([sentMs, total]) => (readings.find(([, seen]) => seen >= total)?.[0] ?? Number.POSITIVE_INFINITY) - sentMs)
    // The pause, and a second for a machine that is busy: a reader that falls behind would be behind by all of the three.
    expect(Math.max(...lags)).toBeLessThan(1500)
  },
)

test.for(WAYS)('%s: bytes are the same, whatever pieces they come in', async (way) => {
  const { host, caller } = await passing.call({ way })
  const whole = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7919) % 256))
  for (let at = 0, size = 1; at < whole.byteLength; at += size, size = (size * 3) % 9973) {
    await new Promise((resolve) => host.response.write(whole.subarray(at, at + size), resolve))
  }
  host.response.end()
  expect(Buffer.compare(await caller.body, whole)).toBe(0)
  await expect.poll(passing.seen).toMatchObject({ ends: ['ended'], bytes: whole.byteLength })
})

test.for(WAYS)('%s: a host that breaks off is told after what came', async (way) => {
  const { host, caller } = await passing.call({ way })
  await new Promise((resolve) => host.response.write(LINE, resolve))
  await expect.poll(() => caller.received()).toBe(LINE.byteLength)
  await new Promise((resolve) => host.response.write(LINE, resolve))
  host.response.socket?.destroySoon()
  expect((await caller.body).toString()).toBe(`${LINE}${LINE}error: broken\n`)
  expect(await passing.seen()).toMatchObject({ ends: ['broken'], bytes: 2 * LINE.byteLength })
})

test.for(WAYS)('%s: a host that falls silent is let go, and the caller told', async (way) => {
  const { host, caller } = await passing.call({ way, idleTimeoutMs: 1000 })
  host.response.write(LINE)
  expect((await caller.body).toString()).toBe(`${LINE}error: silent\n`)
  await host.closed
  expect(await passing.seen()).toMatchObject({ ends: ['silent'], bytes: LINE.byteLength })
})

test.for(WAYS)('%s: at the deadline all that was delivered is seen, the host is let go, and the caller told', async (way) => {
  const { host, caller } = await passing.call({ way, deadlineInMs: 1200 })
  paced(host.response, 1000, 1, 20)
  const body = (await caller.body).toString()
  expect(body).toMatch(/^(x{229}\n)+error: deadline\n$/)
  await host.closed
  const { ends, bytes } = await passing.seen()
  expect(ends).toEqual(['deadline'])
  expect(bytes).toBeGreaterThanOrEqual(body.length - 'error: deadline\n'.length)
})

const LEFT = WAYS.flatMap((way) =>
  ['before the first byte', 'while the host is silent', 'in the middle'].map((when) => [way, when] as const),
)
test.for(LEFT)('%s: a caller who hangs up %s frees the host, and what was delivered is seen', async ([way, when]) => {
  const { host, caller } = await passing.call({ way })
  if (when === 'while the host is silent') host.response.write(LINE)
  if (when === 'in the middle') paced(host.response, 1000, 1, 5)
  const least = { 'before the first byte': 0, 'while the host is silent': 1, 'in the middle': 60 }[when] ?? 0
  await expect.poll(() => caller.received()).toBeGreaterThanOrEqual(least * LINE.byteLength)
  caller.hangUp()
  await host.closed
  await expect.poll(async () => (await passing.seen()).ends).toEqual(['hung_up'])
  expect((await passing.seen()).bytes).toBeGreaterThanOrEqual(caller.received())
})

test('native: a caller who stalls does not hold up the host, and gets the rest when they read on', async () => {
  const { host, caller } = await passing.call({ way: 'native', bufferBytes: 33_554_432 })
  caller.response.pause()
  const { all } = flood(host.response, 16_000_000)
  await all
  await expect.poll(async () => (await passing.seen()).ends).toEqual(['ended'])
  expect(caller.received()).toBeLessThan(8_000_000)
  caller.response.resume()
  expect((await caller.body).byteLength).toBe((await passing.seen()).bytes)
})

test('native: of an answer that is larger than the buffer, a caller who stalls holds up the host; one who reads gets all', async () => {
  const stalled = await passing.call({ way: 'native', bufferBytes: 1_000_000 })
  stalled.caller.response.pause()
  flood(stalled.host.response, 64_000_000)
  await expect.poll(async () => (await passing.seen()).bytes).toBeGreaterThan(1_000_000)
  // Sockets fill first. Then each look takes a piece of 16 KiB at the most.
  const taken = async () => {
    const { wakes, readings } = await passing.seen()
    return { wakes, looks: readings.slice(-6).map(([, bytes], at, all) => bytes - (all[at - 1]?.[1] ?? bytes)) }
  }
  await expect.poll(async () => Math.max(...(await taken()).looks)).toBeLessThanOrEqual(16_384)
  stalled.caller.hangUp()
  await expect.poll(async () => (await passing.seen()).ends).toEqual(['hung_up'])

  const reading = await passing.call({ way: 'native', bufferBytes: 1_000_000 })
  flood(reading.host.response, 64_000_000)
  expect((await reading.caller.body).byteLength).toBe((await passing.seen()).bytes)
  expect(await passing.seen()).toMatchObject({ ends: ['ended'] })
})

test('native: who has not taken an answer larger than the buffer within minutes is cut off', async () => {
  const { host, caller } = await passing.call({ way: 'native', bufferBytes: 1_000_000, impatient: true })
  caller.response.pause()
  flood(host.response, 64_000_000)
  await host.closed
  expect((await passing.seen()).ends).toEqual(['slow'])
  caller.response.resume()
  await expect(caller.body).rejects.toThrow()
})

test('relay: a caller who stalls is ended as soon as the buffer is full, and the host let go', async () => {
  const { host, caller } = await passing.call({ way: 'relay', bufferBytes: 1_000_000 })
  caller.response.pause()
  const { taken } = flood(host.response, 64_000_000)
  await host.closed
  expect(await passing.seen()).toMatchObject({ ends: ['slow'] })
  // The rest lay in sockets.
  expect(taken()).toBeLessThan(20_000_000)
})

test.for(WAYS)('%s: the rest of an answer that has ended does not wait for its caller for ever', async (way) => {
  const { host, caller } = await passing.call({ way, bufferBytes: 33_554_432, impatient: true })
  caller.response.pause()
  await flood(host.response, 16_000_000).all
  await expect.poll(async () => (await passing.seen()).ends).toEqual(['ended'])
  caller.response.resume()
  await expect(caller.body).rejects.toThrow()
})
