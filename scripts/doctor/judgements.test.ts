// What each check makes of what it was told: nothing is asked here.
import { expect, test } from 'vitest'
import { HOST_TROUBLES } from '../../worker/host-trouble.ts'
import { judgeStranger } from './access.ts'
import type { Asked } from './ask.ts'
import { judgeAddresses, judgeQuota, judgeServiceToken, judgeTunnel } from './cloudflare.ts'
import { judgeToken } from './dialects.ts'
import type { Finding } from './finding.ts'
import { judgeAgent, judgeClock, judgeGateway, judgeHost } from './gateway.ts'
import { judgeOllama } from './host.ts'
import { judgeMigrations, judgePrices, judgeProof } from './ledger.ts'
import { judgeNode, judgePort } from './machine.ts'
import { askName, askNetwork } from './names.ts'

const DAY_MS = 86_400_000
const NOW_MS = Date.UTC(2026, 10, 29, 12)
const IN_A_DAY = new Date(NOW_MS + DAY_MS).toISOString()

function answer(status: number, text: string, headers: Record<string, string> = {}): Asked {
  return { status, text, headers: new Headers(headers), atMs: NOW_MS, tookMs: 20 }
}
const page = (status: number, headers = {}) => answer(status, '<html>', { 'content-type': 'text/html; charset=UTF-8', ...headers })
const json = (status: number, value: unknown) => answer(status, JSON.stringify(value), { 'content-type': 'application/json' })
const login = { location: 'https://x.cloudflareaccess.com/cdn-cgi/access/login/box' }
const silent = { silent: 'the connection is refused' }

type Case = [said: string, finding: Finding, level: Finding['level'], text: RegExp]

const stranger = (asked: Asked) => judgeStranger(asked, 'box.example.com', 'no token')
const gateway = (asked: Asked) => judgeGateway(asked, 'https://api.example.com', 'npm run deploy')
const clock = (offMs: number) => judgeClock(answer(200, '', { date: new Date(NOW_MS - 510 - offMs).toUTCString() }))
const host = (state: string, cause: string | null) => judgeHost(json(200, { state, cause, version: '0.13.1', latency_ms: 7 }))
const quota = (read: number, written: number, plan: 'free' | 'paid' = 'free') => judgeQuota({ read, written }, plan)
const prices = (onHost: string[], inForce: string[], withdrawn: string[] = []) =>
  judgePrices({ onHost, inForce: new Set(inForce), withdrawn: new Set(withdrawn), ofVendors: 0 }, true)
const judgeCounted = (on_host: number, offered: number, withdrawn: string[] = []) =>
  judgePrices({ onHost: { on_host, offered }, inForce: new Set(['a']), withdrawn: new Set(withdrawn), ofVendors: 0 }, true)
const proof = (ok: boolean, days: number) => judgeProof({ ok, findings: ok ? 0 : 3, atMs: NOW_MS - days * DAY_MS }, NOW_MS, 'verify')
const told = { state: 'ended', outcome: 'completed', output_tokens: 1, cost_usd: '0.0001' } as const

const CASES: Case[] = [
  ['Access sends strangers to log in', stranger(page(302, login)), 'ok', /Access answers 302/],
  ['Access answers 401', stranger(page(401)), 'ok', /Access answers 401/],
  ['Access answers 403', stranger(page(403)), 'ok', /Access answers 403/],
  ['Ollama answers strangers', stranger(json(200, { version: '0.33.0' })), 'error', /ANYBODY REACHES OLLAMA at box/],
  ['Ollama refuses the Host header of strangers', stranger(answer(403, '')), 'error', /ANYBODY/],
  ['a broken tunnel answers strangers', stranger(answer(530, 'error code: 1033')), 'error', /not Access that answers .*530/],
  ['cloudflared answers strangers', stranger(page(502)), 'error', /not Access/],
  ['another redirect', stranger(page(302, { location: 'https://elsewhere.example' })), 'error', /not Access/],
  ['the box does not answer', stranger(silent), 'error', /refused/],
  ['the gateway answers', gateway(json(200, { gateway: 'ok', database: 'ok', schema: 'ok', version: '1.2.3' })), 'ok', /1\.2\.3.*20 ms/],
  [
    'its database is away',
    gateway(json(503, { gateway: 'ok', database: 'unavailable', schema: 'unknown', version: '1' })),
    'error',
    /no data/,
  ],
  ['its schema is old', gateway(json(503, { gateway: 'ok', database: 'ok', schema: 'missing: x.', version: '1' })), 'error', /missing: x/],
  ['another answers there', gateway(json(200, { hello: 1 })), 'error', /not as the gateway does$/],
  ['Cloudflare answers there', gateway(answer(530, 'error code: 1016')), 'error', /Cloudflare's error 1016/],
  ['nobody answers there', gateway(silent), 'error', /does not answer/],
  ['the clocks agree', clock(2_000), 'ok', /agree/],
  ['a clock that is fast', clock(20_000), 'warning', /20 s fast/],
  ['a clock that is slow', clock(-20_000), 'warning', /20 s slow/],
  ['a clock of another day', clock(DAY_MS), 'error', /86400 s fast/],
  ['no clock', judgeClock(answer(200, '')), 'warning', /no time/],
  ['Ollama is well', host('ok', null), 'ok', /0\.13\.1, in 7 ms/],
  ['Ollama is old', host('limited', 'version'), 'warning', /0\.13\.1/],
  ['no tunnel', host('down', 'tunnel'), 'error', /tunnel/],
  ['no health of the host', judgeHost(json(404, {})), 'error', /does not tell/],
  ['an agent is let in', judgeAgent(json(401, { error: {} }), 'curl'), 'ok', /curl is let in/],
  ['an agent is sent a page', judgeAgent(page(403), 'openai-python'), 'error', /403/],
  ['an agent is refused in JSON', judgeAgent(json(403, {}), 'curl'), 'ok', /let in/],
  ['an agent is challenged', judgeAgent(answer(503, '', { 'cf-mitigated': 'challenge' }), 'curl'), 'error', /page of Cloudflare/],
  ['this machine is taken for a bot', gateway(page(403)), 'error', /page of Cloudflare's \(403\)/],
  ['the tunnel is well', judgeTunnel('box', 'healthy', ['2026.9.1']), 'ok', /2026\.9\.1/],
  ['the tunnel is half well', judgeTunnel('box', 'degraded', ['2026.9.1']), 'warning', /degraded/],
  ['the tunnel is down', judgeTunnel('box', 'down', []), 'error', /not connected/],
  ['the tunnel was never up', judgeTunnel('box', 'inactive', []), 'error', /ever/],
  ['cloudflared is old', judgeTunnel('box', 'healthy', ['2025.2.1']), 'warning', /2025\.2\.1 holds/],
  ['cloudflared is just new enough', judgeTunnel('box', 'healthy', ['2025.4.1']), 'ok', /healthy/],
  ['a token for long', judgeServiceToken(NOW_MS + 200 * DAY_MS, 1, NOW_MS), 'ok', /in 200 days/],
  ['a token near its end', judgeServiceToken(NOW_MS + 29 * DAY_MS, 1, NOW_MS), 'warning', /in 29 days/],
  ['a token at its end', judgeServiceToken(NOW_MS, 1, NOW_MS), 'error', /ended on 2026-11-29/],
  ['a rotation that was left', judgeServiceToken(NOW_MS + 200 * DAY_MS, 2, NOW_MS), 'warning', /older one/],
  ['a rotation that keeps the older one', judgeServiceToken(NOW_MS + 200 * DAY_MS, 2, NOW_MS, IN_A_DAY), 'warning', /older one/],
  ['the domain alone', judgeAddresses({ enabled: false, previews_enabled: false }, 'domain'), 'ok', /alone/],
  ['workers.dev beside the domain', judgeAddresses({ enabled: true, previews_enabled: false }, 'domain'), 'error', /workers\.dev/],
  ['previews', judgeAddresses({ enabled: true, previews_enabled: true }, 'workers.dev'), 'error', /at preview/],
  ['workers.dev alone', judgeAddresses({ enabled: true, previews_enabled: false }, 'workers.dev'), 'ok', /alone/],
  ['a day with room', quota(1_000, 79_999), 'ok', /79,999 of 100,000 written/],
  ['a day near its end', quota(1_000, 80_000), 'warning', /80,000/],
  ['a day that is over', quota(5_000_000, 0), 'error', /5,000,000 of 5,000,000/],
  ['a paid day', quota(50_000_000, 1_000_000, 'paid'), 'ok', /no daily end/],
  ['all migrations', judgeMigrations(['1', '2'], ['1', '2'], 'x'), 'ok', /all 2/],
  ['one is missing', judgeMigrations(['1'], ['1', '2'], 'x'), 'error', /1 of 2 .* from 2/],
  ['one is newer', judgeMigrations(['1', '2'], ['1'], 'x'), 'warning', /newer/],
  ['proved', proof(true, 1), 'ok', /2026-11-28 12:00 UTC, all/],
  ['proved long ago', proof(true, 2), 'warning', /nightly/],
  ['disproved', proof(false, 1), 'error', /3 rows/],
  ['never proved', judgeProof(null, NOW_MS, 'verify'), 'warning', /never/],
  ['all priced', prices(['a', 'b'], ['a', 'b']), 'ok', /2 models/],
  ['all priced by *', prices(['a', 'b'], ['*']), 'ok', /2 models/],
  ['one without', prices(['a', 'b'], ['a']), 'warning', /not offered: b/],
  ['one withdrawn', prices(['a', 'b'], ['a'], ['b']), 'ok', /withdrawn/],
  ['one that has gone', prices(['a'], ['a', 'b']), 'warning', /not on the host: b/],
  [
    'a price for all, and nobody knows what is on the host',
    judgePrices({ onHost: { why: 'x' }, inForce: new Set(['*', 'a']), withdrawn: new Set(), ofVendors: 0 }, false),
    'ok',
    /every model/,
  ],
  [
    'prices by name, and nobody knows what is on the host',
    judgePrices({ onHost: { why: 'the reason' }, inForce: new Set(['a']), withdrawn: new Set(), ofVendors: 0 }, false),
    'warning',
    /the reason/,
  ],
  ['as many priced as there are', judgeCounted(4, 4), 'ok', /^4 of 4 models on the box have one$/],
  ['one that is not', judgeCounted(4, 3), 'warning', /3 of 4 .*not offered/],
  ['one that was withdrawn', judgeCounted(4, 3, ['b']), 'ok', /withdrawn/],
  ['an empty box', judgeCounted(0, 0), 'error', /no model on the box/],
  ['no price at all', prices(['a'], []), 'error', /no model has a price/],
  [
    "prices of vendors' alone",
    judgePrices({ onHost: ['a'], inForce: new Set(), withdrawn: new Set(), ofVendors: 2 }, false),
    'ok',
    /^2 of vendors/,
  ],
  ['no model at all', prices([], ['a']), 'error', /no model on/],
  ['a token', judgeToken(json(200, {}), told, "Ollama's", true), 'ok', /1 token in 20 ms, charged \$0\.0001/],
  ['a token for nothing', judgeToken(json(200, {}), { ...told, cost_usd: '0' }, 'x', true), 'warning', /nothing/],
  ['a token that is not in the ledger', judgeToken(json(200, {}), null, 'x', true), 'error', /not in the ledger/],
  ['a token that failed', judgeToken(json(200, {}), { ...told, outcome: 'failed' }, 'x', true), 'error', /failed/],
  ['a refused key', judgeToken(json(401, { error: { message: 'No such key.' } }), null, 'x', true), 'error', /401, No such key\./],
  ['a page', judgeToken(page(502), null, 'x', true), 'error', /502, not in the words/],
  ['Node as pinned', judgeNode('24.21.0', '24.21.0'), 'ok', /24/],
  ['another Node', judgeNode('26.0.0', '24.21.0'), 'warning', /tried on/],
  ['an old Node', judgeNode('20.18.0', '24.21.0'), 'error', /older than 22\.12/],
  ['a port that is free', judgePort(8787, null), 'ok', /free/],
  ['a port that is taken', judgePort(8787, 'EADDRINUSE'), 'error', /taken/],
  ['an old Ollama', judgeOllama({ answers: true, version: '0.13.0' }, 'http://x', false), 'warning', /0\.13\.0/],
  ['no Ollama', judgeOllama({ answers: false, why: 'refuses' }, 'http://x', false), 'error', /refuses/],
  ['recorded answers', judgeOllama({ answers: false, why: 'refuses' }, 'http://x', true), 'warning', /recorded/],
]

test.for(CASES)('%s', ([, { level, text, remedy }, expected, words]) => {
  expect([level, text]).toEqual([expected, expect.stringMatching(words)])
  // What is not well has its remedy, and only that.
  expect(remedy !== null).toBe(level !== 'ok')
})

test('the remedies of the host are those of /health/ollama', () => {
  expect(host('down', 'access').remedy).toBe(HOST_TROUBLES.access)
  expect(host('limited', 'version').remedy).toBe(HOST_TROUBLES.version)
})

test('names: not there, at home, without a network', async () => {
  const missing = Object.assign(new Error('no'), { code: 'ENOTFOUND' })
  expect(await askName(() => Promise.reject(missing), 'api.example.com', 'Make it.')).toMatchObject({
    level: 'error',
    text: expect.stringMatching(/ENOTFOUND/),
  })
  expect(await askName(async () => ['192.168.1.5'], 'box.example.com', 'Make it.')).toMatchObject({ level: 'error' })
  expect(await askName(async () => ['104.16.1.1', '104.16.2.1'], 'a.example', '')).toMatchObject({
    level: 'ok',
    text: 'a.example is 104.16.1.1 and 1 more',
  })
  expect(await askNetwork(() => Promise.reject(missing))).toMatchObject({ level: 'error', blocks: true })
  expect(await askNetwork(async () => ['104.16.1.1'])).toMatchObject({ level: 'ok' })
})

test('the remedy for two tokens says until when --keep keeps the older one, while it does', () => {
  const remedy = (nowMs: number) => judgeServiceToken(NOW_MS + 200 * DAY_MS, 2, nowMs, IN_A_DAY).remedy
  expect(remedy(NOW_MS)).toBe(
    'It is kept until 2026-11-30 12:00 UTC, as --keep said: npm run admin -- rotate-access takes it away after that, with --keep 0 at once.',
  )
  expect(remedy(NOW_MS + DAY_MS)).toBe('npm run admin -- rotate-access takes it away.')
})

test('the remedy for models without a price is a command', () => {
  expect(judgeCounted(4, 1).remedy).toMatch(/^npm run admin -- set-pricing MODEL .* --remote, or with '\*' as the model for all the rest/)
})
