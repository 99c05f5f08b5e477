import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { closedUrl, type TestDatabase, testDatabase } from './testing.ts'

let t: TestDatabase
const closers: (() => void)[] = []
beforeAll(async () => {
  t = await testDatabase()
  await t.admin('set-pricing', 'gemma3:270m', '0.0001', '0', '--input', '0.15', '--output', '0.6')
  await t.admin('set-pricing', 'old', '0.0001', '0')
  await t.admin('withdraw-pricing', 'old', '--yes')
})
afterEach(() => closers.splice(0).forEach((close) => void close()))
afterAll(() => t.close())

/** A host that answers like this. Returns its address. */
async function host(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const TAGS = JSON.stringify({
  models: [
    { name: 'gemma3:270m', size: 291_554_930 },
    { name: 'qwen3:0.6b', size: 522_653_767 },
    { name: 'old:latest', size: 4_700_000_000 },
    { name: 'gpt-oss:120b-cloud', size: 384, remote_host: 'https://ollama.com' },
  ],
})

test('each model has its price, or the command that sets one', async () => {
  const OLLAMA_BASE_URL = await host((_, response) => response.end(TAGS))
  const { code, out } = await t.adminIn({ environment: { OLLAMA_BASE_URL } }, 'list-models')
  expect(code).toBe(0)
  expect(out.split('\n').slice(0, 5)).toEqual([
    'model                 size  price',
    'gemma3:270m         292 MB  $0.0001 a request, $0.15 in and $0.6 out per Mtok',
    'qwen3:0.6b          523 MB  no price: npm run admin -- set-pricing qwen3:0.6b 0.0001 0 --input 0.10 --output 0.40',
    'old:latest          4.7 GB  withdrawn: npm run admin -- set-pricing old:latest 0.0001 0 --input 0.10 --output 0.40',
    'gpt-oss:120b-cloud    1 KB  runs on ollama.com: not offered',
  ])
  const json = (await t.adminIn({ environment: { OLLAMA_BASE_URL } }, 'list-models', '--json')).json<object[]>()
  expect(json[0]).toMatchObject({
    model: 'gemma3:270m',
    size_bytes: 291_554_930,
    offered: true,
    price: { request_usd: '0.0001' },
    command: null,
  })
  expect(json[1]).toMatchObject({
    model: 'qwen3:0.6b',
    offered: false,
    price: null,
    command: expect.stringContaining('set-pricing qwen3:0.6b'),
  })
})

test('the host of a running gateway comes first, and gets no token that is meant for another', async () => {
  let headers: unknown
  const ollama = await host((request, response) => {
    headers = request.headers
    response.end('{"models":[]}')
  })
  const environment = { OLLAMA_BASE_URL: 'http://127.0.0.1:9', CF_ACCESS_CLIENT_ID: 'id', CF_ACCESS_CLIENT_SECRET: 'secret' }
  const gateway = { pid: 1, url: 'http://127.0.0.1:9', token: 'x', ollama }
  const { code, out } = await t.adminIn({ environment, gateway }, 'list-models')
  expect([code, out]).toEqual([0, 'The host has no model: ollama pull gemma3\n'])
  expect(headers).not.toHaveProperty('cf-access-client-secret')
})

test('the Access token goes to the host of the settings, and no redirect is followed', async () => {
  let asked = 0
  const OLLAMA_BASE_URL = await host((request, response) => {
    asked++
    expect(request.headers['cf-access-client-secret']).toBe('secret')
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  const environment = { OLLAMA_BASE_URL, CF_ACCESS_CLIENT_ID: 'id', CF_ACCESS_CLIENT_SECRET: 'secret' }
  const { code, err } = await t.adminIn({ environment }, 'list-models')
  expect([code, asked]).toEqual([1, 1])
  expect(err).toContain('Cloudflare Access does not let us in')
  expect(err).not.toContain('secret;')
})

test('a host that is not there is told by the name of the setting', async () => {
  const OLLAMA_BASE_URL = await host((_, response) => response.writeHead(200).end('hello'))
  const wrong = await t.adminIn({ environment: { OLLAMA_BASE_URL } }, 'list-models')
  expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('not as Ollama does')])
  const url = await closedUrl()
  const none = await t.adminIn({ environment: { OLLAMA_BASE_URL: url } }, 'list-models')
  expect([none.code, none.err]).toEqual([
    1,
    `error: OLLAMA_BASE_URL: ${url} refuses the connection; start Ollama, or set it to where Ollama answers.\n`,
  ])
  const bad = await t.adminIn({ environment: { OLLAMA_BASE_URL: 'nonsense' } }, 'list-models')
  expect([bad.code, bad.err]).toEqual([1, expect.stringContaining('OLLAMA_BASE_URL')])
})
