import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BenchHost, startHost } from './children.ts'
import { awaitPeer, peerSubject } from './peer.ts'

let host: BenchHost
const closers: (() => unknown)[] = []

beforeEach(async () => {
  host = await startHost(0)
  closers.push(host.close)
})

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  closers.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function peer(base: string) {
  return peerSubject({ base, headers: { 'x-team': '7' }, model: 'm', pids: [] })
}

test('a peer that answers with the words of the host is taken', async () => {
  await awaitPeer(peer(host.origin), host.origin, 0)
})

test('a base with a path keeps it, and the headers go along', async () => {
  const asked = Promise.withResolvers<string>()
  const base = await serve((request, response) => {
    asked.resolve(`${request.url} ${request.headers['x-team']}`)
    response.end('The box hums warm')
  })
  await awaitPeer(peer(`${base}/openai`), host.origin, 0)
  expect(await asked.promise).toBe('/openai/v1/chat/completions 7')
})

test.each<[string, RequestListener, string]>([
  ['refuses', (_, response) => response.writeHead(401).end('no such key'), 'answered 401: no such key'],
  ['has another host behind it', (_, response) => response.end('Hello!'), "not with the words of the bench's host: Hello!"],
])('one that %s is told with what it said and what to configure', async (_, listener, said) => {
  const waiting = awaitPeer(peer(await serve(listener)), host.origin, 0)
  await expect(waiting).rejects.toThrow(said)
  await expect(waiting).rejects.toThrow(`model "m" to the bench's host at ${host.origin}/v1/chat/completions`)
})

test('one that is not there is said not to be', async () => {
  await expect(awaitPeer(peer('http://127.0.0.1:1'), host.origin, 0)).rejects.toThrow('cannot be reached')
})

test('a port that is taken is told by the name of its option', async () => {
  const port = Number(new URL(host.origin).port)
  await expect(startHost(port)).rejects.toThrow(`--host-port ${port} cannot be used`)
})
