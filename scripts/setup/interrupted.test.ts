import { expect, test } from 'vitest'
import { isWrite, newWorld, type World } from './testing.ts'

/** Everything that is made, with a domain and without. */
const KINDS: [string, string[]][] = [
  ['with a domain', []],
  ['without a domain', ['--no-domain']],
]
/** How a call fails, and what a run that meets it says. */
const FAULTS: [403 | 429 | 500 | 'hang' | 'reset' | 'lost', RegExp][] = [
  [403, /Cloudflare refuses the API token: Authentication error \(10000\)\. It needs (Account|Zone) > .+: add that at/],
  [429, /too many calls \(429\)/],
  [500, /Cloudflare's API fails \(500: Internal error \(10001\)\)/],
  ['hang', /Cloudflare's API does not answer/],
  ['reset', /Cloudflare's API cannot be reached: (ECONNRESET|UND_ERR_SOCKET)/],
  // The call did its work, and nobody was told.
  ['lost', /Cloudflare's API cannot be reached: (ECONNRESET|UND_ERR_SOCKET)/],
]

/** The writing calls of a whole run, as what a fault can be put on; and what there is then. */
async function wholeRun(args: string[]): Promise<{ calls: [string, RegExp][]; total: number; counts: object }> {
  const world = await newWorld()
  await world.setup(...args)
  const { calls } = world.cloudflare
  const writes = calls.filter(({ method, path }) => isWrite(method, path))
  const patterns = writes.map(({ method, path }): [string, RegExp] => [
    method,
    new RegExp(`${path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}/g, '[^/]+')}$`),
  ])
  const whole = { calls: patterns, total: calls.length, counts: world.counts() }
  await world.close()
  return whole
}

/** No secret is in what was said. */
async function expectQuiet(world: World, said: string): Promise<void> {
  for (const secret of await world.secrets()) expect(said).not.toContain(secret)
}

for (const [kind, args] of KINDS) {
  test(`each call failing once, in each way, ${kind}: a second run completes, and nothing is doubled`, async ({ annotate }) => {
    const whole = await wholeRun(args)
    let runs = 0
    for (const [method, path] of whole.calls) {
      for (const [as, said] of FAULTS) {
        const world = await newWorld()
        // A 429 is waited out three times.
        world.cloudflare.faults.add(method, path, as, { times: as === 429 ? 4 : 1 })
        const first = await world.setupIn(as === 'hang' ? { timeoutMs: 300 } : {}, '--yes', ...args)
        world.cloudflare.faults.clear()
        // The zone's switches need a right that set-up can do without.
        const goesOn = as === 403 && /settings|bot_management/.test(path.source)
        const where = `${method} ${path.source} ${as}`
        if (goesOn) expect(first.out, where).toContain('the token may not change it')
        else expect(first.err, where).toMatch(said)
        expect(first.code, where).toBe(goesOn ? 0 : 1)
        const second = await world.setup(...args)
        expect({ where, code: second.code, err: second.err }).toEqual({ where, code: 0, err: '' })
        expect(world.counts(), where).toEqual(whole.counts)
        await expectQuiet(world, first.out + first.err + second.out)
        await world.close()
        runs++
      }
    }
    await annotate(`${runs} faults on ${whole.calls.length} calls`)
  })

  test(`stopped after each call, ${kind}: it says what was made, and a second run completes`, async ({ annotate }) => {
    const whole = await wholeRun(args)
    for (let calls = 0; calls < whole.total; calls++) {
      const world = await newWorld()
      const stop = new AbortController()
      if (calls === 0) stop.abort()
      // The stand-in's log is written as a call comes in: this is Ctrl-C while that call is under way.
      const log = world.cloudflare.calls
      log.push = (...added) => {
        const length = Array.prototype.push.apply(log, added)
        if (length >= calls) stop.abort()
        return length
      }
      const first = await world.setupIn({ signal: stop.signal }, '--yes', ...args)
      log.push = Array.prototype.push
      // The last calls end by themselves.
      if (first.code !== 0)
        expect({ calls, ...first }).toMatchObject({
          code: 130,
          err: expect.stringMatching(/^Stopped\. (Nothing was made|So far made: .+)\. Run the same command again/),
        })
      const second = await world.setup(...args)
      expect({ calls, code: second.code, err: second.err }).toEqual({ calls, code: 0, err: '' })
      expect(world.counts(), `stopped after ${calls}`).toEqual(whole.counts)
      await expectQuiet(world, first.out + first.err + second.out)
      await world.close()
    }
    await annotate(`${whole.total} places to stop`)
  })
}

test('one that is told to wait waits, and says so', async () => {
  const world = await newWorld()
  world.cloudflare.faults.add('POST', /cfd_tunnel$/, 429)
  const waits: number[] = []
  const { code, out } = await world.setupIn({ sleep: async (ms) => void waits.push(ms) }, '--yes')
  expect({ code, waits }).toEqual({ code: 0, waits: [1000] })
  expect(out).toContain('Cloudflare asks to wait 1 s …')
  await world.close()
})

test('reading fails and is tried again without a word', async () => {
  const world = await newWorld()
  world.cloudflare.faults.add('GET', /access\/apps/, 500)
  world.cloudflare.faults.add('GET', /dns_records/, 'reset')
  expect(await world.setup()).toMatchObject({ code: 0, err: '' })
  await world.close()
})
