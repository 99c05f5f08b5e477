// The box's files: what they publish, who gets the token, and that they agree with each other and with the Worker's limits.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { configOf } from '../worker/config.ts'
import { parseUnit, UNIT_DIRECTIVES } from './box-units.ts'

const read = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')
const parsed = (name: string) => parse(read(name), { merge: true })
const duration = z.string().regex(/^\d+[smh]$/)

// The part of the compose specification that is used here; anything else, `ports` for one, is an error.
const service = z.strictObject({
  image: z.string().regex(/^(ollama\/ollama:\d+\.\d+\.\d+(-rocm)?|cloudflare\/cloudflared:\d{4}\.\d+\.\d+)$/),
  restart: z.literal('unless-stopped'),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  cap_drop: z.tuple([z.literal('ALL')]),
  logging: z.strictObject({
    driver: z.literal('json-file'),
    options: z.strictObject({ 'max-size': z.string().regex(/^\d+m$/), 'max-file': z.string().regex(/^\d+$/) }),
  }),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  network_mode: z.literal('service:network').optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_started'), restart: z.boolean().optional() })).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  env_file: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  devices: z.array(z.string().startsWith('/dev/')).optional(),
  deploy: z
    .strictObject({
      resources: z.strictObject({
        reservations: z.strictObject({
          devices: z.array(z.strictObject({ driver: z.string(), count: z.literal('all'), capabilities: z.array(z.string()) })),
        }),
      }),
    })
    .optional(),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.literal('CMD')], z.string()),
      interval: duration,
      timeout: duration,
      retries: z.int(),
      start_period: duration,
    })
    .optional(),
  stop_grace_period: duration.optional(),
})
const compose = z.strictObject({
  name: z.string(),
  'x-service': z.unknown(),
  services: z.strictObject({ network: service, ollama: service, cloudflared: service }),
  volumes: z.record(z.string(), z.null()),
})

// As compose merges files: maps by key, lists one after the other, else the later one.
function merged(base: unknown, over: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(over)) return [...base, ...over]
  if (base === null || over === null || typeof base !== 'object' || typeof over !== 'object') return over
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) result[key] = key in result ? merged(result[key], value) : value
  return result
}

const base = compose.parse(parsed('compose.yaml'))
const overrides = ['compose.nvidia.yaml', 'compose.amd.yaml']

test('publishes no port and keeps every image at a version', () => {
  for (const { network_mode, ports } of Object.values(parsed('compose.yaml').services) as Record<string, unknown>[])
    expect([network_mode ?? 'own', ports]).toEqual([expect.stringMatching(/^(own|service:network)$/), undefined])
  expect(base.services.ollama.environment?.OLLAMA_HOST).toBe('127.0.0.1:11434')
  expect(service.safeParse({ ...base.services.ollama, ports: ['11434:11434'] }).success).toBe(false)
  expect(service.safeParse({ ...base.services.ollama, image: 'ollama/ollama:latest' }).success).toBe(false)
})

test.each(overrides)('%s changes only Ollama, and the whole stays valid', (name) => {
  const over = parsed(name)
  expect(Object.keys(over.services)).toEqual(['ollama'])
  const { services } = compose.parse(merged(parsed('compose.yaml'), over))
  expect(services.ollama.environment).toEqual(base.services.ollama.environment)
  expect(services.ollama.image.replace('-rocm', '')).toBe(base.services.ollama.image)
})

test('gives the token to cloudflared alone, from box.env alone', () => {
  const files = Object.entries(base.services).flatMap(([name, { env_file }]) => (env_file ? [[name, env_file]] : []))
  expect(files).toEqual([['cloudflared', ['box.env']]])
  for (const { environment, command } of Object.values(base.services)) expect(JSON.stringify([environment, command])).not.toMatch(/token/i)
})

test('lets both services restart without the other, and stops the tunnel before Ollama', () => {
  const { network, ollama, cloudflared } = base.services
  expect([network.network_mode, ollama.network_mode, cloudflared.network_mode]).toEqual([undefined, 'service:network', 'service:network'])
  expect(Object.keys(cloudflared.depends_on ?? {})).toContain('ollama')
})

test('waits longer for cloudflared than cloudflared waits for running answers', () => {
  const { command, stop_grace_period } = base.services.cloudflared
  const grace = Number.parseInt(command?.[(command?.indexOf('--grace-period') ?? -1) + 1] ?? '', 10)
  expect(grace).toBeLessThanOrEqual(180) // cloudflared refuses more
  expect(Number.parseInt(stop_grace_period ?? '', 10)).toBeGreaterThan(grace)
})

test("has no more slots than the gateway's HOST_CONCURRENCY, and a queue that holds it", () => {
  const { hostConcurrency } = configOf({})
  const { OLLAMA_NUM_PARALLEL, OLLAMA_MAX_LOADED_MODELS, OLLAMA_MAX_QUEUE } = base.services.ollama.environment ?? {}
  const slots = Number(OLLAMA_NUM_PARALLEL) * Number(OLLAMA_MAX_LOADED_MODELS)
  expect(slots).toBeGreaterThan(0)
  expect(slots).toBeLessThanOrEqual(hostConcurrency)
  expect(Number(OLLAMA_MAX_QUEUE)).toBeGreaterThan(hostConcurrency)
})

const cloudflaredUnit = 'systemd/cloudflared.service'
const ollamaDropIn = 'systemd/ollama.service.d/gateway.conf'

test('sets the same for Ollama under systemd as under compose', () => {
  const lines = parseUnit(read(ollamaDropIn)).filter(({ key }) => key === 'Environment')
  expect(Object.fromEntries(lines.map(({ value }) => value.split('=')))).toEqual(base.services.ollama.environment)
})

test.each([cloudflaredUnit, ollamaDropIn])('%s has only directives that systemd knows', (name) => {
  for (const { section, key } of parseUnit(read(name))) expect(UNIT_DIRECTIVES[section] ?? [], `${section} ${key}`).toContain(key)
})

test('hands the token to the unit as a credential, and not on its command line', () => {
  const value = (key: string) => parseUnit(read(cloudflaredUnit)).find((line) => line.key === key)?.value
  expect(value('LoadCredential')).toBe('tunnel-token:/etc/cloudflared/token')
  expect(value('ExecStart')).toMatch(/ run --token-file %d\/tunnel-token$/)
  expect(Number(value('TimeoutStopSec'))).toBeGreaterThan(180)
})

const systemd = (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, 'systemd-analyze')))

test.skipIf(!systemd)('passes systemd-analyze verify (where there is one)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'units-'))
  try {
    // The executable is not on this machine; what else Ollama's own unit says does not matter here.
    const units = {
      'cloudflared.service': read(cloudflaredUnit).replace('/usr/bin/cloudflared', process.execPath),
      'ollama.service': `${read(ollamaDropIn)}ExecStart=${process.execPath}\n`,
    }
    for (const [name, text] of Object.entries(units)) {
      writeFileSync(join(directory, name), text)
      const said = execFileSync('systemd-analyze', ['verify', join(directory, name)], { encoding: 'utf8', stdio: 'pipe' })
      expect(said).toBe('')
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('an example for a locally managed tunnel has the same way to Ollama and ends in a 404', () => {
  const originRequest = z.strictObject({
    httpHostHeader: z.literal('localhost:11434'),
    access: z.strictObject({ required: z.literal(true), teamName: z.string(), audTag: z.array(z.string()).min(1) }),
  })
  const tunnel = z.strictObject({
    tunnel: z.guid(),
    'credentials-file': z.string().startsWith('/etc/cloudflared/'),
    'no-autoupdate': z.literal(true),
    metrics: z.literal('127.0.0.1:2000'),
    'grace-period': z.literal('180s'),
    ingress: z.tuple([
      z.strictObject({ hostname: z.hostname(), service: z.literal('http://localhost:11434'), originRequest }),
      z.strictObject({ service: z.literal('http_status:404') }),
    ]),
  })
  expect(tunnel.safeParse(parsed('cloudflared.yml')).error?.issues).toBeUndefined()
})

test('the README names only files that are here', () => {
  const readme = read('README.md')
  const named = readme.match(/(?<![/\w])(compose[\w.]*\.yaml|cloudflared\.yml|systemd\/[\w./]+\.(?:service|conf))/g) ?? []
  expect(new Set(named).size).toBe(6) // so that a pattern that finds nothing fails
  for (const name of named) expect(existsSync(join(import.meta.dirname, name)), name).toBe(true)
  for (const file of readdirSync(import.meta.dirname).filter((name) => /\.ya?ml$/.test(name))) expect(named).toContain(file)
})
