import { expect, test } from 'vitest'
import { type BannerFacts, banner } from './banner.ts'

const facts: BannerFacts = {
  url: 'http://127.0.0.1:8787',
  ollama: { about: 'http://127.0.0.1:11434, version 0.33.0', isStandIn: false },
  vendors: [
    { vendor: 'openai', keyFrom: null, host: null, models: 0 },
    { vendor: 'anthropic', keyFrom: null, host: null, models: 0 },
  ],
  stateDir: '.wrangler/state',
  recovered: 0,
  demo: { customerId: 1, key: 'sk_1' },
  demoKeyPath: '.wrangler/state/demo-key',
  madeDemo: false,
  models: [
    { name: 'nomic-embed-text:latest', chat: false },
    { name: 'gemma3:270m', chat: true },
  ],
  customers: 1,
  unpriced: [],
}

test('the greeting says where, with what, and gives commands to paste', () => {
  expect(banner(facts)).toBe(`Gateway   http://127.0.0.1:8787
Ollama    http://127.0.0.1:11434, version 0.33.0
State     .wrangler/state
Customer  Demo (1), its key is in .wrangler/state/demo-key

Try it    curl -N http://127.0.0.1:8787/api/chat -H 'Authorization: Bearer sk_1' -d '{"model":"gemma3:270m","messages":[{"role":"user","content":"Why is the sky blue?"}]}'
Usage     npm run admin -- usage-report
Budget    npm run admin -- check-budget 1`)
})

test('a demo key that is gone can be replaced by the command that is shown', () => {
  const text = banner({ ...facts, demo: { customerId: 3, key: null } })
  expect(text).toContain('no key of its works here; a new one: npm run admin -- generate-key 3')
  expect(text).toContain('Bearer sk_YOUR_KEY')
})

test('what an earlier run left, the stand-in and models without a price are told', () => {
  const text = banner({
    ...facts,
    recovered: 2,
    ollama: { about: 'the stand-in', isStandIn: true },
    unpriced: ['gemma3:270m', 'qwen3:8b'],
  })
  expect(text).toContain('2 requests of an earlier run had not ended; settled now.')
  expect(text).toContain('For a real one: start Ollama')
  expect(text).toContain(`
No price  npm run admin -- set-pricing gemma3:270m 0.0001 0 --input 0.10 --output 0.40
          npm run admin -- set-pricing qwen3:8b 0.0001 0 --input 0.10 --output 0.40`)
})

test('of vendors it says what is offered, with whose key and where that goes, or what is missing', () => {
  const openai = { vendor: 'openai', keyFrom: 'the environment', host: 'proxy.example:8080', models: 42 } as const
  const anthropic = { vendor: 'anthropic', keyFrom: null, host: null, models: 1 } as const
  expect(banner({ ...facts, vendors: [openai, anthropic] })).toContain(`
OpenAI    42 models offered; OPENAI_API_KEY is from the environment and goes to proxy.example:8080.
Anthropic 1 model has a price, not offered: put ANTHROPIC_API_KEY into .dev.vars, then start again.
State `)
  const keyed = { ...anthropic, keyFrom: '.dev.vars', models: 0 } as const
  expect(banner({ ...facts, vendors: [keyed] })).toContain(
    '\nAnthropic No model has a price; ANTHROPIC_API_KEY is from .dev.vars.\n          npm run admin -- import-prices --vendor anthropic\n',
  )
})

test('a host without models is told how to get one', () => {
  expect(banner({ ...facts, models: [] })).toContain('ollama pull')
})

test('commands are pointed at another state directory', () => {
  expect(banner({ ...facts, stateDir: '/srv/state' })).toContain('Usage     STATE_DIR=/srv/state npm run admin -- usage-report')
})

test('customers of the owner’s own who would be billed for recorded answers are pointed out', () => {
  const standIn = { about: 'the stand-in', isStandIn: true }
  expect(banner({ ...facts, ollama: standIn, customers: 1 })).not.toContain('CAUTION')
  expect(banner({ ...facts, ollama: standIn, customers: 2 })).toContain(
    'CAUTION: your customers are answered, and billed, by the stand-in.',
  )
  expect(banner({ ...facts, customers: 2 })).not.toContain('CAUTION')
})

test('the model to try is one that has a price', () => {
  const models = [
    { name: 'a:latest', chat: true },
    { name: 'b:latest', chat: true },
  ]
  expect(banner({ ...facts, models, unpriced: ['a:latest'] })).toMatch(/Try it .*"model":"b:latest"/)
})
