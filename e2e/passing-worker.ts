// Test support: a Worker with nothing but the two ways in which an answer passes. It counts how often it is woken, and tells what it has seen.
import { passThrough } from '../worker/pass-through.ts'
import type { PumpEnd } from '../worker/pump.ts'
import { relay } from '../worker/relay.ts'

export interface PassingOptions {
  way: 'native' | 'relay'
  bufferBytes?: number
  idleTimeoutMs?: number
  /** From now. */
  deadlineInMs?: number
  /** How much comes before the first token: nothing unless told. */
  leadBytes?: number
  /** What is due in minutes comes at once. */
  impatient?: boolean
}

/** Of the last request. */
export interface Seen {
  bytes: number
  /** How often a timer or a read has woken JavaScript. */
  wakes: number
  /** What had been seen when, milliseconds since 1970. */
  readings: [nowMs: number, bytes: number][]
  ends: PumpEnd[]
}

let seen: Seen = { bytes: 0, wakes: 0, readings: [], ends: [] }
let impatient = false

const { setTimeout: setTimer } = globalThis
const timed = (run: (...given: unknown[]) => void, ms: number, ...given: unknown[]) => {
  const woken = () => {
    seen.wakes++
    run(...given)
  }
  return setTimer(woken, impatient && ms >= 60_000 ? 1 : ms)
}
globalThis.setTimeout = timed as typeof setTimeout

for (const { prototype } of [ReadableStreamBYOBReader, ReadableStreamDefaultReader]) {
  const { read } = prototype
  prototype.read = function (this: unknown, ...given: unknown[]) {
    const reading: Promise<unknown> = Reflect.apply(read, this, given)
    const woken = () => {
      seen.wakes++
    }
    reading.then(woken, woken)
    return reading
  } as never
}

const encoder = new TextEncoder()

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/seen') return Response.json(seen)
    const options = JSON.parse(searchParams.get('options') ?? '{}') as PassingOptions
    seen = { bytes: 0, wakes: 0, readings: [], ends: [] }
    impatient = options.impatient ?? false
    const mine = seen
    const answer = await fetch(env.HOST)
    const take = (piece: Uint8Array) => {
      mine.bytes += piece.byteLength
      mine.readings.push([Date.now(), mine.bytes])
    }
    const shared = {
      bufferBytes: options.bufferBytes ?? 4_194_304,
      idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
      deadlineMs: options.deadlineInMs === undefined ? null : Date.now() + options.deadlineInMs,
      hangUp: request.signal,
      killed: new AbortController().signal,
      close(end: PumpEnd) {
        mine.ends.push(end)
        return end === 'ended' ? null : encoder.encode(`error: ${end}\n`)
      },
    }
    const observe = (piece: Uint8Array) => {
      take(piece)
      return piece.reduce((lines, byte) => lines + Number(byte === 10), 0)
    }
    const pass = (piece: Uint8Array) => {
      take(piece)
      return piece
    }
    const passing =
      options.way === 'native' && answer.body !== null
        ? passThrough(answer.body, { ...shared, observe, begun: () => mine.bytes > (options.leadBytes ?? 0) })
        : relay(answer.body, { ...shared, pass })
    context.waitUntil(passing.done)
    return new Response(passing.body)
  },
} satisfies ExportedHandler<{ HOST: string }>
