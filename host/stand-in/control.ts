// The control over HTTP, for processes that are not the stand-in's own: what a body of `POST /stand-in/control` may order.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EdgeSettings } from './edge.ts'
import type { Fault } from './faults.ts'
import type { Pace } from './send.ts'

/** What the control can do; the same functions that the process itself calls. */
export interface Levers {
  requests: unknown[]
  fault(fault: Fault): void
  replay(name: string, times?: number): void
  setPace(pace: Pace): void
  edge(settings: EdgeSettings): void
  reset(): void
}

/** Answers a call under `/stand-in/`. An order that cannot be carried out is a 400 that says why. */
export function control(req: IncomingMessage, res: ServerResponse, path: string, body: unknown, levers: Levers): void {
  if (path === '/stand-in/requests' && req.method === 'GET') {
    json(res, 200, levers.requests)
    return
  }
  if (path !== '/stand-in/control' || req.method !== 'POST') {
    json(res, 404, { error: 'POST /stand-in/control or GET /stand-in/requests' })
    return
  }
  try {
    obey(body, levers)
    res.writeHead(204).end()
  } catch (error) {
    json(res, 400, { error: error instanceof Error ? error.message : String(error) })
  }
}

function obey(body: unknown, levers: Levers): void {
  if (typeof body !== 'object' || body === null) throw new Error('a JSON object is needed')
  const order = body as { fault?: unknown; replay?: unknown; pace?: unknown; edge?: unknown; reset?: unknown }
  const unknown = Object.keys(order).find((key) => !['fault', 'replay', 'pace', 'edge', 'reset'].includes(key))
  if (unknown !== undefined) throw new Error(`${unknown}: unknown; known are fault, replay, pace, edge and reset`)
  if (order.reset === true) levers.reset()
  if (order.pace !== undefined) levers.setPace(order.pace as Pace)
  if (order.edge !== undefined) levers.edge((order.edge ?? {}) as EdgeSettings)
  if (order.fault !== undefined) levers.fault(order.fault as Fault)
  if (order.replay !== undefined) {
    const { name, times } = (order.replay ?? {}) as { name?: unknown; times?: unknown }
    if (typeof name !== 'string') throw new Error('replay.name: the name of a capture is needed')
    if (times !== undefined && !Number.isSafeInteger(times)) throw new Error('replay.times: a whole number is needed')
    levers.replay(name, times as number | undefined)
  }
}

function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}
