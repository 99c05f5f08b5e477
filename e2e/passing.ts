// Test support: a host that sends what a test tells it to, a caller who reads as told, and between them one of the ways an answer passes.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { PROJECT_ROOT } from '../scripts/start/project.ts'
import type { PassingOptions, Seen } from './passing-worker.ts'

interface HostSide {
  response: ServerResponse
  /** Resolves when the connection has closed, by whichever side. */
  closed: Promise<unknown>
}

interface CallerSide {
  response: IncomingMessage
  /** What has come so far, bytes. */
  received(): number
  /** The whole body, once it has come to its proper end; rejects where it breaks off. */
  body: Promise<Buffer>
  /** By RST. */
  hangUp(): void
}

export interface Passing {
  /** Begins a call; both its ends. */
  call(options: PassingOptions): Promise<{ host: HostSide; caller: CallerSide }>
  /** What the Worker has seen of the last call. */
  seen(): Promise<Seen>
  stop(): Promise<void>
}

const MODULES = [
  'e2e/passing-worker.ts',
  ...['pass-through', 'follow', 'finish', 'limits', 'pace', 'relay', 'pump'].map((name) => `worker/${name}.ts`),
]

export async function startPassing(): Promise<Passing> {
  let answering = Promise.withResolvers<HostSide>()
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.flushHeaders()
    answering.resolve({ response, closed: once(response, 'close') })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const modules = MODULES.map(async (path) => {
    const absolute = join(PROJECT_ROOT, path)
    return { type: 'ESModule' as const, path: absolute, contents: stripTypeScriptTypes(await readFile(absolute, 'utf8')) }
  })
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        {
          name: 'passing',
          modulesRoot: PROJECT_ROOT,
          modules: await Promise.all(modules),
          compatibilityDate: '2026-11-02',
          compatibilityFlags: ['nodejs_compat', 'enable_request_signal'],
          bindings: { HOST: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
          unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
        },
      ],
      cf: false,
      logRequests: false,
      log: new Log(LogLevel.ERROR),
    }),
  )
  await miniflare.ready
  const { port } = await miniflare.unsafeGetDirectURL()
  const url = `http://127.0.0.1:${port}`
  return {
    async call(options) {
      answering = Promise.withResolvers()
      const request = get(`${url}/?options=${encodeURIComponent(JSON.stringify(options))}`, { agent: false })
      const [[response], host] = await Promise.all([once(request, 'response') as Promise<[IncomingMessage]>, answering.promise])
      return { host, caller: callerSide(response) }
    },
    seen: async () => (await (await fetch(`${url}/seen`)).json()) as Seen,
    async stop() {
      await miniflare.dispose()
      server.closeAllConnections()
      server.close()
    },
  }
}

function callerSide(response: IncomingMessage): CallerSide {
  const pieces: Buffer[] = []
  let received = 0
  response.on('data', (piece: Buffer) => {
    pieces.push(piece)
    received += piece.byteLength
  })
  const body = new Promise<Buffer>((resolve, reject) => {
    response.on('end', () => resolve(Buffer.concat(pieces)))
    response.on('error', reject)
  })
  body.catch(() => {})
  return { response, received: () => received, body, hangUp: () => response.socket.resetAndDestroy() }
}
