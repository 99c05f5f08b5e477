import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SETTING_NAMES } from '../../worker/config.ts'
import { PROJECT_ROOT } from './project.ts'
import { readSettings, SettingError } from './settings.ts'

const read = (environment: Record<string, string>, devVars = '') => readSettings(environment, devVars, false)

test('with nothing set the gateway is on 127.0.0.1:8787 and Ollama on its usual port', () => {
  expect(read({})).toEqual({
    host: '127.0.0.1',
    port: 8787,
    stateDir: '.wrangler/state',
    ollamaBaseUrl: 'http://127.0.0.1:11434',
    access: null,
    vendors: [
      { vendor: 'openai', keyFrom: null, host: null },
      { vendor: 'anthropic', keyFrom: null, host: null },
    ],
    standIn: false,
    stopGraceMs: 5000,
    logJson: false,
    colour: false,
    vars: {},
  })
})

test('the environment wins over .dev.vars, and an empty variable counts as not set', () => {
  const devVars = '# mine\nPORT=9000\nHOST="0.0.0.0"\nSTATE_DIR=/srv/s\n'
  expect(read({ PORT: '9001', HOST: '' }, devVars)).toMatchObject({ port: 9001, host: '0.0.0.0', stateDir: '/srv/s' })
})

test('what the Worker knows is passed on, from both places, and nothing else', () => {
  const settings = read({ BODY_LIMIT_BYTES: '2000', PATH: '/bin' }, 'CHECKPOINT_SECONDS=3\nOPENAI_API_KEY=\nOTHER=1\n')
  expect(settings.vars).toEqual({ BODY_LIMIT_BYTES: '2000', CHECKPOINT_SECONDS: '3' })
})

test('of the vendors it tells where a key is from and where it goes, and not the key', () => {
  const shell = { OPENAI_API_KEY: 'sk-shell', OPENAI_BASE_URL: 'https://name:word@proxy.example:8080/v1', ANTHROPIC_API_KEY: '' }
  const settings = read(shell, 'ANTHROPIC_API_KEY=sk-file\nOPENAI_API_KEY=sk-other\nANTHROPIC_BASE_URL=https://api.anthropic.com/\n')
  expect(settings.vendors).toEqual([
    { vendor: 'openai', keyFrom: 'the environment', host: 'proxy.example:8080' },
    { vendor: 'anthropic', keyFrom: '.dev.vars', host: null },
  ])
  expect(settings.vars).toMatchObject({ OPENAI_API_KEY: 'sk-shell', ANTHROPIC_API_KEY: 'sk-file' })
  expect(read({}, 'OPENAI_API_KEY= \n').vendors[0]).toMatchObject({ keyFrom: null })
})

test('the Access token is read as a pair', () => {
  const pair = { CF_ACCESS_CLIENT_ID: 'id', CF_ACCESS_CLIENT_SECRET: 'secret' }
  expect(read(pair).access).toEqual({ clientId: 'id', clientSecret: 'secret' })
  expect(() => read({ CF_ACCESS_CLIENT_ID: 'id' })).toThrow('set both or neither')
})

test.each([
  [{ PORT: 'http' }, 'PORT=http'],
  [{ PORT: '70000' }, 'PORT=70000'],
  [{ PORT: '-1' }, 'PORT=-1'],
  [{ STAND_IN: 'yes' }, 'STAND_IN=yes'],
  [{ LOG: 'xml' }, 'LOG=xml'],
  [{ STOP_GRACE_SECONDS: '1.5' }, 'STOP_GRACE_SECONDS=1.5'],
  [{ OLLAMA_BASE_URL: 'localhost:11434' }, 'OLLAMA_BASE_URL'],
  [{ HOST_CONCURRENCY: 'many' }, 'HOST_CONCURRENCY'],
  [{ OPENAI_LIMIT_FIELD: 'n' }, 'OPENAI_LIMIT_FIELD'],
  [{ ANTHROPIC_BASE_URL: 'api.anthropic.com' }, 'ANTHROPIC_BASE_URL'],
  [{ READ_ON_SECONDS: '26' }, 'READ_ON_SECONDS'],
])('%o is refused by name', (environment, named) => {
  expect(() => read(environment)).toThrow(SettingError)
  expect(() => read(environment)).toThrow(named)
})

test('colours are for a terminal that wants them', () => {
  expect(readSettings({ TERM: 'xterm' }, '', true).colour).toBe(true)
  expect(readSettings({ TERM: 'xterm', NO_COLOR: '1' }, '', true).colour).toBe(false)
  expect(readSettings({ TERM: 'dumb' }, '', true).colour).toBe(false)
  expect(readSettings({ TERM: 'xterm' }, '', false).colour).toBe(false)
})

test('.dev.vars.example lists every setting of the Worker, and each is passed on', () => {
  const example = readFileSync(join(PROJECT_ROOT, '.dev.vars.example'), 'utf8')
  expect(SETTING_NAMES.filter((name) => !new RegExp(`^#?${name}=`, 'm').test(example))).toEqual([])
  const { vars } = read({ CORS_ORIGINS: 'https://app.example.com', KILL_CHECK_SECONDS: '7' })
  expect(vars).toEqual({ CORS_ORIGINS: 'https://app.example.com', KILL_CHECK_SECONDS: '7' })
})
