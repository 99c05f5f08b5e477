// The Ollama stand-in: an HTTP server that answers as a real Ollama did, from recorded exchanges, and misbehaves when told to.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AccessToken } from './access.ts'
import { readBody } from './body.ts'
import type { Call } from './call.ts'
import { type Answer, exchange, recorded } from './captures.ts'
import { choose } from './choose.ts'
import { control, type Levers } from './control.ts'
import { Edge, type EdgeSettings } from './edge.ts'
import { type Fault, FaultQueue } from './faults.ts'
import { inject } from './inject.ts'
import { note, type RecordedRequest } from './log.ts'
import { checkedPace, type Pace, send } from './send.ts'

export type { EdgeTrouble } from './edge.ts'
export type { Fault } from './faults.ts'
export type { RecordedRequest } from './log.ts'
export type { Pace } from './send.ts'

export interface StandInOptions {
  /** 0, any free port, unless told. */
  port?: number
  /** 127.0.0.1 unless told. As with Ollama, foreign Host headers are refused on loopback only. */
  host?: string
  /** How fast chunks follow each other; `recorded` unless told. */
  pace?: Pace
  /** Play Cloudflare in front of it: Access, which lets in who brings this token or one of these, and the tunnel. */
  access?: AccessToken | readonly AccessToken[]
}

export interface StandIn {
  url: string
  /** What reached it, oldest first: the last 2,000. */
  requests: RecordedRequest[]
  /** The next requests meet this fault. Faults wait in a queue; a request meets at most one. Throws for a fault that makes no sense. */
  fault(fault: Fault): void
  /** The next POST (or the next few) is answered by this capture, whatever it asks. Throws for an unknown name. */
  replay(name: string, times?: number): void
  setPace(pace: Pace): void
  /** What Cloudflare in front of it does. Throws for a setting that makes no sense, and where no `access` was given. */
  edge(settings: EdgeSettings): void
  /** Forgets faults, replays and requests, and mends the edge. */
  reset(): void
  /** Answers in progress. */
  active(): number
  /** Resolves as soon as no answer is in progress. */
  idle(): Promise<void>
  close(): Promise<void>
}

/** Starts a stand-in. Rejects when the port is taken. */
export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const host = options.host ?? '127.0.0.1'
  // cloudflared, which Access stands for, has the Host header rewritten.
  const checksHost = isLoopback(host) && options.access === undefined
  const requests: RecordedRequest[] = []
  const faults = new FaultQueue()
  const edge = options.access === undefined ? null : new Edge([options.access].flat())
  let replays: string[] = []
  let pace = checkedPace(options.pace ?? 'recorded')
  let active = 0
  let waiting: (() => void)[] = []

  const levers: Levers & { requests: RecordedRequest[] } = {
    requests,
    fault: (fault) => faults.add(fault),
    replay(name, times = 1) {
      exchange(name)
      replays.push(...Array<string>(times).fill(name))
    },
    setPace(next) {
      pace = checkedPace(next)
    },
    edge(settings) {
      if (edge === null) throw new Error('edge: this stand-in was started without Access in front of it')
      edge.set(settings)
    },
    reset() {
      edge?.mend()
      faults.clear()
      replays = []
      requests.length = 0
    },
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = (req.url ?? '/').split('?')[0] ?? '/'
    const body = await readBody(req, path)
    if (path.startsWith('/stand-in/')) return control(req, res, path, body, levers)
    const seen = note(requests, req, body)
    const { answer, fault } = plan({ method: seen.method, path, headers: seen.headers, body })
    Object.assign(seen, { capture: answer.source, fault: fault?.kind ?? null, status: answer.headerAtMs === null ? null : answer.status })
    let broke = false
    active += 1
    res.once('close', () => {
      seen.closedEarly = !res.writableFinished && !broke
      seen.endedAt = Date.now()
      active -= 1
      if (active > 0) return
      for (const wake of waiting) wake()
      waiting = []
    })
    broke = (await send(res, answer, pace, fault?.kind === 'slow-header' ? fault.ms : 0)) === 'broke'
  }

  /** A caller who does not come past Cloudflare meets neither fault nor replay. */
  function plan(call: Call): { answer: Answer; fault: Fault | null } {
    const stopped = edge?.answer(call, Date.now()) ?? null
    if (stopped !== null) return { answer: stopped, fault: null }
    const { answer, fault } = ofOllama(call)
    return { answer: edge?.passed(answer) ?? answer, fault }
  }

  function ofOllama(call: Call): { answer: Answer; fault: Fault | null } {
    const replayed = call.method === 'POST' ? replays.shift() : undefined
    const answer = replayed === undefined ? choose(call, checksHost) : recorded(replayed)
    const fault = faults.take(call.path)
    // A replay has the shape of its own route, not of the one that was called.
    const shape = replayed === undefined ? call.path : exchange(replayed).request.path.replace(/\?.*/, '')
    return { answer: fault === null ? answer : inject(answer, fault, shape), fault }
  }

  const server = createServer((req, res) => {
    serve(req, res).catch((error: unknown) => {
      // A caller that leaves while its body is read is no error; anything else is a bug here and must be seen.
      if (!req.errored) console.error(error)
      res.destroy()
    })
  })
  // Ollama closes no idle connection and knows no time limit.
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  server.listen(options.port ?? 0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    ...levers,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    active: () => active,
    idle: () => new Promise((resolve) => (active === 0 ? resolve() : waiting.push(resolve))),
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
