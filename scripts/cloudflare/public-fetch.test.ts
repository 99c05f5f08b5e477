import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { publicFetch } from './public-fetch.ts'

const edge = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const { host, 'x-one': one } = request.headers
    response.writeHead(request.url === '/away' ? 302 : 200, request.url === '/away' ? { location: '/login' } : {})
    response.end(JSON.stringify({ host, one, method: request.method, url: request.url, body: Buffer.concat(chunks).toString() }))
  })
})
let address: string
beforeAll(async () => {
  await new Promise<void>((ready) => edge.listen(0, '127.0.0.1', ready))
  address = `http://127.0.0.1:${(edge.address() as AddressInfo).port}`
})
afterAll(() => new Promise((closed) => edge.close(closed)))

test('where the edge is a stand-in, it is asked for every hostname by its name', async () => {
  const ask = publicFetch({ CLOUDFLARE_EDGE_URL: address })
  const answer = await ask('https://api.example.com/v1/models?a=1', { method: 'POST', headers: { 'x-one': '1' }, body: 'text' })
  expect(await answer.json()).toEqual({ host: 'api.example.com', one: '1', method: 'POST', url: '/v1/models?a=1', body: 'text' })
})

test('no redirect is followed, with or without the stand-in', async () => {
  expect((await publicFetch({ CLOUDFLARE_EDGE_URL: address })('https://api.example.com/away')).status).toBe(302)
  expect((await publicFetch({})(`${address}/away`)).status).toBe(302)
})

test('an address that is none is named', () => {
  expect(() => publicFetch({ CLOUDFLARE_EDGE_URL: '127.0.0.1' })).toThrow('CLOUDFLARE_EDGE_URL is "127.0.0.1"')
})
