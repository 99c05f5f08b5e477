import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type StandIn, startStandIn } from '../../host/stand-in/server.ts'
import { findOllama, listModels, probeOllama } from './ollama.ts'

let standIn: StandIn | null = null
let server: Server | null = null

async function serve(answer: RequestListener): Promise<string> {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

afterEach(async () => {
  await standIn?.close()
  server?.closeAllConnections()
  server?.close()
  standIn = server = null
})

test('an Ollama that answers is used', async () => {
  standIn = await startStandIn({ pace: 'instant' })
  const found = await findOllama({ url: standIn.url, access: null, standIn: false })
  expect(found).toMatchObject({ url: standIn.url, standIn: null })
  expect(found.about).toMatch(/^http:\/\/127\.0\.0\.1:\d+, version \d/)
})

test('where none answers the stand-in takes its place, and says why', async () => {
  const url = await serve(() => {})
  server?.close()
  const found = await findOllama({ url, access: null, standIn: false })
  standIn = found.standIn
  expect(found.about).toBe(`the stand-in, which replays recorded answers (${url} refuses the connection)`)
  expect(await probeOllama(found.url, null)).toMatchObject({ answers: true })
})

test('STAND_IN=1 asks nobody', async () => {
  const found = await findOllama({ url: 'http://never.invalid', access: null, standIn: true })
  standIn = found.standIn
  expect(found.about).toContain('STAND_IN=1')
})

test('the Access token opens the door, and a missing or wrong one is recognised', async () => {
  const access = { clientId: 'id', clientSecret: 'secret' }
  standIn = await startStandIn({ pace: 'instant', access })
  expect(await probeOllama(standIn.url, access)).toMatchObject({ answers: true })
  const refused = { answers: false, why: expect.stringContaining('CF_ACCESS_CLIENT_ID') }
  expect(await probeOllama(standIn.url, null)).toEqual(refused)
  expect(await probeOllama(standIn.url, { ...access, clientSecret: 'other' })).toEqual(refused)
})

test('a server that is silent, or something else, is no Ollama', async () => {
  const silent = await serve(() => {})
  expect(await probeOllama(silent, null, 50)).toEqual({ answers: false, why: `${silent} does not answer within 0.05 s` })
  server?.closeAllConnections()
  const other = await serve((_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html>'))
  expect(await probeOllama(other, null)).toEqual({ answers: false, why: `${other} answers 404, but not as Ollama does` })
})

test('models are listed by their canonical names; embedding models are not for chat, cloud models not for us', async () => {
  const models = [
    { name: 'nomic-embed-text', capabilities: ['embedding'] },
    { name: 'Gemma3:270M', capabilities: ['completion', 'vision'] },
    { name: 'all-minilm:latest' },
    { name: 'llama3.2:1b' },
    { name: 'gpt-oss:120b-cloud', capabilities: ['completion'] },
    { name: 'mine:latest', capabilities: ['completion'], remote_host: 'https://ollama.com:443' },
  ]
  const url = await serve((_, response) => response.end(JSON.stringify({ models })))
  expect(await listModels(url, null)).toEqual([
    { name: 'nomic-embed-text:latest', chat: false },
    { name: 'gemma3:270m', chat: true },
    { name: 'all-minilm:latest', chat: false },
    { name: 'llama3.2:1b', chat: true },
  ])
})
