import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestCloudflare, testCloudflare } from '../../scripts/deploy/testing.ts'
import type { WorkerVersion } from './resources/worker-upload.ts'

let t: TestCloudflare
beforeAll(async () => {
  t = await testCloudflare()
})
afterAll(() => t.close())

/** Uploads a Worker of one module, as wrangler does. */
async function upload(name: string, script: string, metadata: Partial<Record<keyof WorkerVersion, unknown>> = {}): Promise<void> {
  const form = new FormData()
  form.set('metadata', JSON.stringify({ main_module: 'index.js', compatibility_date: '2026-11-02', ...metadata }))
  form.set('index.js', new File([script], 'index.js', { type: 'application/javascript+module' }))
  await call('PUT', `/workers/scripts/${name}`, form)
}

async function call(method: string, path: string, body: FormData | object): Promise<unknown> {
  const form = body instanceof FormData
  const answer = await fetch(`${t.cloudflare.url}/accounts/${t.deployment.accountId}${path}`, {
    method,
    headers: { authorization: `Bearer ${t.environment.CLOUDFLARE_API_TOKEN}`, ...(form ? {} : { 'content-type': 'application/json' }) },
    body: form ? body : JSON.stringify(body),
  })
  const read = (await answer.json()) as { success: boolean; errors: unknown }
  if (!read.success) throw new Error(JSON.stringify(read.errors))
  return read
}

test('a Worker answers at its domain with its settings, its version and the rows that the API wrote', async () => {
  const script = `export default { async fetch(request, env) {
    const { results } = await env.DB.prepare('SELECT x FROM t').all()
    return Response.json({ host: new URL(request.url).host, text: env.TEXT, secret: env.SECRET, version: env.VERSION.id, results })
  } }`
  const bindings = [
    { name: 'DB', type: 'd1', id: t.deployment.database?.id },
    { name: 'TEXT', type: 'plain_text', text: 'a' },
    { name: 'SECRET', type: 'secret_text', text: 'b' },
    { name: 'VERSION', type: 'version_metadata' },
  ]
  await t.sql('CREATE TABLE t (x INTEGER)')
  await t.sql('INSERT INTO t VALUES (7)')
  await upload('one', script, { bindings })
  await call('PUT', '/workers/scripts/one/domains/records', { origins: [{ hostname: 'one.example.com' }] })
  const answer = await (await t.ask('https://one.example.com/')).json()
  const { version } = t.uploaded('one')
  expect(answer).toEqual({ host: 'one.example.com', text: 'a', secret: 'b', version: version.id, results: [{ x: 7 }] })
  await t.sql('INSERT INTO t VALUES (8)')
  expect(await (await t.ask('https://one.example.com/')).json()).toMatchObject({ results: [{ x: 7 }, { x: 8 }] })
})

test('what a Worker fetches goes by the edge, piece by piece, and ends when its caller leaves', async () => {
  const script = `export default { fetch: (request) => fetch(new Request('https://ollama.example.com' + new URL(request.url).pathname, request)) }`
  await upload('one', script)
  t.ollama.setPace(20)
  const headers = { 'cf-access-client-id': 'client.access', 'cf-access-client-secret': 'a-secret-of-the-service-token' }
  const body = JSON.stringify({ model: 'gemma3:270m', messages: [{ role: 'user', content: 'Hi' }] })
  const gone = new AbortController()
  const answer = await t.ask('https://one.example.com/api/chat', { method: 'POST', headers, body, signal: gone.signal })
  const reader = answer.body?.getReader()
  expect(new TextDecoder().decode((await reader?.read())?.value)).toMatch(/"done":false/)
  expect(t.ollama.active()).toBe(1)
  gone.abort()
  await expect.poll(() => t.ollama.active()).toBe(0)
  t.ollama.setPace('instant')
})

test('the box is behind Access, and a name that nobody has is told as Cloudflare tells it', async () => {
  expect((await t.ask('https://ollama.example.com/api/version')).status).toBe(302)
  expect((await t.ask('https://nobody.example.com/')).status).toBe(530)
})
