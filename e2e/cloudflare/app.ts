// A stand-in of Cloudflare's API, served over HTTP: the calls that set-up, deploy and doctor make, with state, rights and errors.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { Hono } from 'hono'
import { type Api, authenticate, type CloudflareEnv, fail, type Resource } from './envelope.ts'
import { Faults, faultResponse } from './faults.ts'
import { withoutSecrets } from './log.ts'
import { access } from './resources/access.ts'
import { accounts } from './resources/accounts.ts'
import { analytics } from './resources/analytics.ts'
import { d1 } from './resources/d1.ts'
import { dns } from './resources/dns.ts'
import { subdomain } from './resources/subdomain.ts'
import { tokens } from './resources/tokens.ts'
import { tunnels } from './resources/tunnels.ts'
import { vpc } from './resources/vpc.ts'
import { workerSecrets } from './resources/worker-secrets.ts'
import { workerDomains, workerSettings } from './resources/worker-settings.ts'
import { workers } from './resources/workers.ts'
import { zoneSettings } from './resources/zone-settings.ts'
import { zones } from './resources/zones.ts'
import { CloudflareState } from './state.ts'

const PREFIX = '/client/v4'

/** The kinds of resource that there are: a new one is added here. */
const RESOURCES: readonly Resource[] = [
  ...[tokens, accounts, zones, d1, access, tunnels, dns, zoneSettings, vpc, subdomain],
  ...[workers, workerSettings, workerSecrets, workerDomains, analytics],
]

/** A call that arrived, without secrets. */
interface LoggedCall {
  method: string
  /** Below the prefix, with its query. */
  path: string
  body: unknown
  status: number | string
}

export interface Cloudflare {
  /** What CLOUDFLARE_API_BASE_URL is set to. */
  url: string
  state: CloudflareState
  faults: Faults
  calls: LoggedCall[]
  close(): Promise<void>
}

export interface CloudflareOptions {
  port?: number
  state?: CloudflareState
}

/** The API as an app. */
function cloudflareApp(state: CloudflareState): Api {
  const app = new Hono<CloudflareEnv>().basePath(PREFIX)
  app.use('*', authenticate(state))
  for (const resource of RESOURCES) resource(app, state)
  app.notFound((c) => fail(c, 404, 7003, `Could not route to ${c.req.path}, perhaps your object identifier is invalid?`))
  app.onError((error, c) => fail(c, 500, 10001, error.message))
  return app
}

export async function startCloudflare({ port = 0, state = new CloudflareState() }: CloudflareOptions = {}): Promise<Cloudflare> {
  const app = cloudflareApp(state)
  const faults = new Faults()
  const calls: LoggedCall[] = []

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const sent = await buffer(incoming)
    const { method = 'GET', url = '/' } = incoming
    const path = url.startsWith(`${PREFIX}/`) ? url.slice(PREFIX.length) : url
    const call: LoggedCall = { method, path, body: withoutSecrets(sent), status: 0 }
    calls.push(call)
    const fault = faults.next(method, path)
    call.status = fault ?? 0
    if (fault === 'hang') return
    if (fault === 'reset') return void incoming.socket.resetAndDestroy()
    const response = typeof fault === 'number' ? faultResponse(fault) : await app.fetch(asRequest(incoming, sent))
    if (fault === 'lost') return void incoming.socket.resetAndDestroy()
    call.status = response.status
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    outgoing.end(Buffer.from(await response.arrayBuffer()))
  }

  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing).catch(() => incoming.socket.destroy()))
  await new Promise<void>((listening, failed) => {
    server.once('error', failed)
    server.listen(port, '127.0.0.1', listening)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PREFIX}`,
    state,
    faults,
    calls,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

function asRequest({ method = 'GET', url = '/', headers }: IncomingMessage, body: Buffer): Request {
  const pairs = Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as [string, string]] : []))
  const some = method !== 'GET' && method !== 'HEAD' && body.length > 0
  return new Request(new URL(url, 'http://127.0.0.1'), { method, headers: pairs, ...(some ? { body: new Uint8Array(body) } : {}) })
}
