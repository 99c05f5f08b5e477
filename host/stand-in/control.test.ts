// Access in front, the control over HTTP, and the program itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type StandIn, startStandIn } from './server.ts'
import { raw } from './test-client.ts'

let standIn: StandIn

beforeAll(async () => {
  standIn = await startStandIn({ pace: 'instant', access: { clientId: 'the-id', clientSecret: 'the-secret' } })
})
beforeEach(() => standIn.reset())
afterAll(() => standIn.close())

const TOKEN = { 'cf-access-client-id': 'the-id', 'cf-access-client-secret': 'the-secret' }

test('Access sends a caller without a token to its log-in page', async () => {
  const answer = await raw(standIn.url, 'POST', '/api/chat', asking())
  expect(answer.status).toBe(302)
  expect(answer.headers.location).toMatch(/^https:\/\/example\.cloudflareaccess\.com\/cdn-cgi\/access\/login\//)
})

test('Access refuses a wrong token with a page', async () => {
  const wrong = { ...TOKEN, 'cf-access-client-secret': 'another' }
  const answer = await raw(standIn.url, 'POST', '/api/chat', asking(), wrong)
  expect(answer).toMatchObject({ status: 403, headers: { 'content-type': 'text/html; charset=UTF-8' } })
  expect((await raw(standIn.url, 'GET', '/api/tags', undefined, { 'cf-access-client-id': 'the-id' })).status).toBe(403)
})

test('Access lets the right token in, and whom it turns away meets no fault', async () => {
  standIn.fault({ kind: 'status', status: 500 })
  expect((await raw(standIn.url, 'POST', '/api/chat', asking())).status).toBe(302)
  expect((await raw(standIn.url, 'POST', '/api/chat', asking(), TOKEN)).status).toBe(500)
  expect((await raw(standIn.url, 'POST', '/api/chat', asking(), TOKEN)).status).toBe(200)
})

test('another process orders faults, replays and the pace over HTTP, past Access', async () => {
  const order = (body: unknown) => raw(standIn.url, 'POST', '/stand-in/control', body)
  expect(await order({ fault: { kind: 'status', status: 418 }, pace: 'instant' })).toMatchObject({ status: 204, body: '' })
  expect((await raw(standIn.url, 'POST', '/api/chat', asking(), TOKEN)).status).toBe(418)
  await order({ replay: { name: 'v1-models.empty' } })
  expect((await raw(standIn.url, 'POST', '/api/chat', asking(), TOKEN)).body).toBe('{"object":"list","data":null}\n')
  await order({ fault: { kind: 'status', status: 418 }, replay: { name: 'root.get', times: 3 } })
  await order({ reset: true })
  expect((await raw(standIn.url, 'POST', '/api/chat', asking(), TOKEN)).status).toBe(200)
})

test('the requests are told over HTTP', async () => {
  await raw(standIn.url, 'POST', '/api/chat?x=1', asking(), TOKEN)
  await standIn.idle()
  const answer = await raw(standIn.url, 'GET', '/stand-in/requests')
  expect(JSON.parse(answer.body)).toMatchObject([
    { method: 'POST', path: '/api/chat?x=1', body: asking(), status: 200, closedEarly: false },
  ])
})

test.each([
  ['no object', 'a JSON object is needed'],
  [{ nonsense: 1 }, 'nonsense: unknown'],
  [{ fault: { kind: 'nothing' } }, 'fault.kind'],
  [{ replay: { name: 'nothing' } }, 'no such capture: nothing'],
  [{ replay: {} }, 'replay.name'],
  [{ pace: 'slow' }, 'pace: recorded'],
  [{ edge: { trouble: 'none' } }, 'edge.trouble: null, or one of ollama-stopped'],
  [{ edge: { refusal: 1 } }, 'edge.refusal: one of usual'],
  [{ edge: { tokens: [{}] } }, 'edge.tokens: a list'],
  [{ edge: { other: 1 } }, 'edge.other: unknown'],
])('an order that cannot be carried out is a 400 that says why: %j', async (body, message) => {
  const answer = await raw(standIn.url, 'POST', '/stand-in/control', body)
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.body).error).toContain(message)
})

test('there is nothing else under the path of the control', async () => {
  expect((await raw(standIn.url, 'GET', '/stand-in/control')).status).toBe(404)
})

const MAIN = join(import.meta.dirname, 'main.ts')

test('the program serves until it is told to stop', async () => {
  const child = spawn(process.execPath, [MAIN, '--port', '0', '--pace', 'instant'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  expect(String(line)).toMatch(/^http:\/\/127\.0\.0\.1:\d+ is an Ollama stand-in: it replays recorded answers/)
  const url = String(line).split(' ')[0] ?? ''
  expect((await raw(url, 'GET', '/')).body).toBe('Ollama is running')
  child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
})

test.each([
  [['--prot', '1'], '--prot'],
  [['--port', 'x'], '--port x'],
  [['--port', '70000'], '--port 70000'],
  [['--pace', 'slow'], '--pace slow'],
  [['--access-id', 'x'], '--access-secret'],
  [['more'], 'more'],
])('the program stops with 2 for %j and names it', async (args, named) => {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (part) => {
    said += part
  })
  expect(await once(child, 'close')).toEqual([2, null])
  expect(said).toContain(named)
})

function asking() {
  return { model: 'gemma3:270m', messages: [{ role: 'user', content: 'Why is the sky blue?' }] }
}

test('several tokens are let in at once, each until its end, and they can be changed', async () => {
  const status = async (id: string) => {
    const headers = { 'cf-access-client-id': id, 'cf-access-client-secret': `${id}-secret` }
    return (await raw(standIn.url, 'GET', '/api/version', undefined, headers)).status
  }
  const token = (id: string, expiresMs?: number) => ({ clientId: id, clientSecret: `${id}-secret`, ...(expiresMs && { expiresMs }) })
  await raw(standIn.url, 'POST', '/stand-in/control', { edge: { tokens: [token('old'), token('new', 4e12), token('over', 1)] } })
  expect([await status('old'), await status('new'), await status('over')]).toEqual([200, 200, 403])
  standIn.edge({ tokens: [token('new')] })
  expect([await status('old'), await status('new')]).toEqual([403, 200])
  standIn.edge({ tokens: [{ clientId: 'the-id', clientSecret: 'the-secret' }] })
})

test('with nobody in front everybody is let in, until it is reset', async () => {
  standIn.edge({ open: true })
  expect((await raw(standIn.url, 'GET', '/api/version')).status).toBe(200)
  standIn.reset()
  expect((await raw(standIn.url, 'GET', '/api/version')).status).toBe(302)
})

test.each([
  ['ollama-stopped', 502, 'text/html; charset=UTF-8', '502 Bad Gateway'],
  ['gateway-timeout', 504, 'text/html; charset=UTF-8', '504 Gateway time-out'],
  ['connect-timeout', 522, 'text/plain; charset=UTF-8', 'error code: 522'],
  ['answer-timeout', 524, 'text/plain; charset=UTF-8', 'error code: 524'],
  ['tunnel-down', 530, 'text/plain; charset=UTF-8', 'error code: 1033'],
  ['no-dns', 530, 'text/plain; charset=UTF-8', 'error code: 1016'],
  ['login-page', 200, 'text/html; charset=UTF-8', 'Sign in'],
] as const)('what is broken behind Access stays so until it is mended: %s', async (trouble, status, type, text) => {
  standIn.edge({ trouble })
  for (let time = 0; time < 2; time++) {
    const answer = await raw(standIn.url, 'POST', '/api/chat', asking(), TOKEN)
    expect(answer).toMatchObject({ status, headers: { 'content-type': type, server: 'cloudflare', 'cf-ray': expect.any(String) } })
    expect(answer.body).toContain(text)
  }
  // Access is asked before.
  expect((await raw(standIn.url, 'POST', '/api/chat', asking())).status).toBe(302)
  standIn.edge({ trouble: null, refusal: 'unauthorized' })
  expect((await raw(standIn.url, 'POST', '/api/chat', asking(), TOKEN)).status).toBe(200)
  expect((await raw(standIn.url, 'POST', '/api/chat', asking())).status).toBe(401)
})
