// A stand-in of Cloudflare's edge: one HTTP server that looks at the Host header, as the edge does, and really runs the uploaded Worker.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { type Request as MiniflareRequest, Response as MiniflareResponse } from 'miniflare'
import type { WorkerDomain } from './resources/worker-settings.ts'
import { deployedVersion, type WorkerVersion } from './resources/worker-upload.ts'
import { workersOf } from './resources/workers.ts'
import type { CloudflareState } from './state.ts'
import { Workerd } from './workerd.ts'

/** Answers for a hostname that is no Worker's: what stands before the box. */
type HostHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => void

export interface EdgeOptions {
  port?: number
  state: CloudflareState
  /** Whoever answers for the box, whatever its hostname: Access, then the tunnel, then Ollama. */
  box: HostHandler
}

export interface Edge {
  /** What CLOUDFLARE_EDGE_URL is set to. */
  url: string
  /** What the Worker wrote to its log. */
  logs: string[]
  /** The edge answers with this status in the place of such versions, as while a certificate is made; null: it does not. */
  outage: ((version: WorkerVersion) => number | null) | null
  /** User agents that Bot Fight Mode takes for bots: they get a page. */
  bots: RegExp | null
  close(): Promise<void>
}

/** Starts it. From then on the databases of `state` are the Worker's. */
export async function startEdge({ port = 0, state, box }: EdgeOptions): Promise<Edge> {
  const logs: string[] = []
  const workerd = await Workerd.open({
    fetchPublic: (request) => pass(request, edgeOf(request, url), new URL(request.url).host),
    fetchVpc: () => (request) => pass(request, new URL(url), VPC_HOST),
    onLog: (message) => logs.push(message),
  })
  state.openEngine = (id) => workerd.openDatabase(id)

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const host = (incoming.headers.host ?? '').replace(/:\d+$/, '')
    const worker = workerAt(state, host)
    if (worker === undefined) {
      if (host === VPC_HOST || isBox(state, host)) return box(incoming, outgoing)
      return void outgoing.writeHead(530, { 'content-type': 'text/html' }).end('<html>error code: 1016</html>')
    }
    const ended = new Promise<void>((resolve) => outgoing.once('close', resolve))
    if (edge.bots?.test(incoming.headers['user-agent'] ?? ''))
      return void outgoing
        .writeHead(403, { 'content-type': 'text/html; charset=UTF-8' })
        .end('<html>Attention Required! | Cloudflare</html>')
    const version = deployedVersion(worker)
    const status = version === null ? 404 : (edge.outage?.(version) ?? null)
    if (version === null || status !== null)
      return void outgoing.writeHead(status ?? 404, { 'content-type': 'text/html' }).end('<html></html>')
    forward(incoming, outgoing, await workerd.serve(version, ended))
  }

  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing).catch(() => outgoing.destroy()))
  await new Promise<void>((listening, failed) => {
    server.once('error', failed)
    server.listen(port, '127.0.0.1', listening)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const edge: Edge = {
    url,
    logs,
    outage: null,
    bots: null,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
      await workerd.close()
    },
  }
  return edge
}

/** What a Workers VPC service is called on its way to the box: it has no hostname. */
const VPC_HOST = 'vpc.invalid'

/** The Worker with this Custom Domain, or with this name below workers.dev, if that is on. */
function workerAt(state: CloudflareState, host: string) {
  for (const account of state.accounts.keys()) {
    const domain = [...state.of<WorkerDomain>('worker_domains', account).values()].find(({ hostname }) => hostname === host)
    if (domain !== undefined) return workersOf(state, account).get(domain.service)
    const [found] = state.of<{ subdomain: string }>('workers_subdomain', account).values()
    const worker = [...workersOf(state, account).values()].find(({ name }) => host === `${name}.${found?.subdomain}.workers.dev`)
    if (worker?.subdomain.enabled) return worker
  }
  return undefined
}

/** A name that leads to a tunnel. */
function isBox(state: CloudflareState, host: string): boolean {
  return [...state.zones.keys()].some((zone) =>
    [...state.of('dns_records', zone).values()].some(({ name, content }) => name === host && /\.cfargotunnel\.com$/.test(String(content))),
  )
}

/** Passes a request on as it is, its Host included. */
export function forward(incoming: IncomingMessage, outgoing: ServerResponse, to: URL): void {
  const { method, url, headers } = incoming
  const passed = httpRequest({ host: to.hostname, port: to.port, method, path: url, headers })
  passed.on('response', (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.rawHeaders)
    outgoing.flushHeaders()
    response.pipe(outgoing)
  })
  passed.on('error', () => outgoing.destroy())
  outgoing.on('close', () => passed.destroy())
  incoming.pipe(passed)
}

/** The edge has every name; an address of this machine is a stand-in of a vendor, which is somewhere else. */
function edgeOf(request: MiniflareRequest, edge: string): URL {
  const asked = new URL(request.url)
  return asked.hostname === '127.0.0.1' ? asked : new URL(edge)
}

/** A fetch of the Worker's, to whoever the edge has at that hostname. */
function pass(request: MiniflareRequest, to: URL, host: string): Promise<MiniflareResponse> {
  const { pathname, search } = new URL(request.url)
  const headers = { ...Object.fromEntries(request.headers), host }
  return new Promise((resolve, reject) => {
    const passed = httpRequest({ host: to.hostname, port: to.port, method: request.method, path: `${pathname}${search}`, headers })
    passed.on('error', reject)
    passed.on('response', (response) => {
      const status = response.statusCode ?? 502
      const pairs = Object.entries(response.headersDistinct).flatMap(([name, values]) =>
        (values ?? []).map((value) => [name, value] as [string, string]),
      )
      const empty = status === 204 || status === 304
      const body = empty ? null : (Readable.toWeb(response) as NodeReadableStream)
      resolve(new MiniflareResponse(body as never, { status, headers: pairs.filter(([name]) => name !== 'transfer-encoding') }))
    })
    if (request.body === null) passed.end()
    else Readable.fromWeb(request.body as NodeReadableStream).pipe(passed)
  })
}
