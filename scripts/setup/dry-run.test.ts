import { expect, test } from 'vitest'
import { newWorld } from './testing.ts'

for (const args of [[], ['--no-domain']]) {
  test(`a dry run ${args.join(' ')} shows the calls of the real run, makes none of them, and has no secret in it`, async () => {
    const world = await newWorld()
    await world.write('.dev.vars', 'OPENAI_API_KEY=sk-proj-0123456789abcdef\n')
    const { code, out, err } = await world.setup('--dry-run', ...args)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(world.cloudflare.calls.filter(({ method }) => method !== 'GET')).toEqual([])
    expect({ counts: world.counts(), files: await world.files() }).toEqual({ counts: {}, files: ['.dev.vars'] })
    const shown = [...out.matchAll(/^ {2}writes {2}(\S+ \S+)/gm)].map(([, call]) => call?.replace(/[0-9a-f]{32}|not-made-yet/g, '*'))
    world.writes()
    await world.setup(...args)
    expect(shown).toEqual(world.writes())
    for (const secret of [...(await world.secrets()), 'sk-proj-0123456789abcdef']) expect(out).not.toContain(secret)
    expect(out).toContain('{"name":"ollama-edge-gateway","config_src":"cloudflare"}')
    await world.close()
  })
}

test('a dry run on what is there shows that nothing would be written', async () => {
  const world = await newWorld()
  await world.setup()
  world.writes()
  const { out } = await world.setup('--dry-run')
  expect(out).not.toContain('  writes')
  expect(out).toContain('Nothing was written.')
  expect(world.writes()).toEqual([])
  await world.close()
})
