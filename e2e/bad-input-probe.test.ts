import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { rawRequest } from './raw-request.ts'
let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway({ vars: { BODY_LIMIT_BYTES: '20000' } })
  await gateway.setPrice('gemma3:270m', { request: '0.001', input: '1', output: '2' })
})
afterAll(() => gateway.stop())
const messages = [{ role: 'user', content: 'x' }]
const body = { model: 'gemma3:270m', messages, options: { num_predict: 8 } }
async function show(label: string, p: Promise<any>) {
  try { const a = await p; console.log(label, a.status, JSON.stringify(a.headers), a.text.slice(0, 300)) } catch (e) { console.log(label, 'ERR', String(e)) }
}
test('probe', async () => {
  const { key } = await gateway.makeCustomer({ budgetUsd: '1' })
  const r = (x: any) => rawRequest(gateway.url, { key, body, ...x })
  for (const path of ['//api/chat', '/api/chat/', '/API/chat', '/api%2fchat', '/api/../api/pull', '/api/./chat', '/v1/models/%2e%2e', '/api/chat;x', '/%61pi/chat', '/api/chat%00', '/api/pull/../chat', '/api/chat?x=/../pull', '/api//chat', '/api/chat#x', 'http://evil.example/api/chat', '*', '/api\\chat', '/api/chat%'])
    await show(path, r({ path }))
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND', 'FOO']) await show(method, r({ method, path: '/api/chat', body: undefined }))
  for (const path of ['/api/pull', '/api/PULL', '/api/pull/', '/api/blobs/sha256:123', '/v1/audio/transcriptions', '/api/me', '/api/experimental/x', '/'])
   for (const method of ['POST','HEAD','GET']) await show(method + path, r({ path , method, ...(method==='POST'?{}:{body:undefined})}))
  await show('hostile', r({ path: '/api/chat', headers: { host: 'evil.example', origin: 'http://evil.example', cookie: 'a=b', 'x-api-key': key, 'x-forwarded-for': '1.2.3.4', 'cf-access-client-id': 'me', 'cf-access-client-secret': 's', 'accept-encoding': 'gzip', 'user-agent': 'x', 'x-request-id': 'mine', 'content-type': 'text/plain', referer: 'http://r/', 'accept-language': 'de', 'x-custom': '1', traceparent: '00-1' } }))
  console.log(JSON.stringify(gateway.standIn.requests, null, 1))
  await show('cl', r({ path: '/api/chat', headers: { 'content-length': 99999 }, body: '{}' }))
  await show('big', r({ path: '/api/chat', body: JSON.stringify(body) + ' '.repeat(30000) }))
  await show('chunked', r({ path: '/api/chat', body: JSON.stringify(body) + ' '.repeat(30000), chunked: true }))
  await show('chunkedbig', r({ path: '/api/chat', body: JSON.stringify(body) + ' '.repeat(30000000), chunked: true }))
  await show('big30M', r({ path: '/api/chat', body: JSON.stringify(body) + ' '.repeat(30000000) }))
  await show('gz', r({ path: '/api/chat', headers: { 'content-encoding': 'gzip' } }))
  await show('empty', r({ path: '/api/chat', body: '' }))
  await show('depth', r({ path: '/api/chat', body: `{"model":"gemma3:270m","messages":${'['.repeat(5000)}` }))
  await show('proto', r({ path: '/api/chat', body: `{"model":"gemma3:270m","stream":false,"messages":[{"role":"user","content":"x"}],"__proto__":{"keep_alive":5},"options":{"num_predict":5,"__proto__":{"num_predict":-1}}}` }))
  console.log(JSON.stringify(gateway.standIn.requests.at(-1), null, 1))
  console.log(gateway.logs.map(l=>JSON.stringify(l)).join('\n'))
})
