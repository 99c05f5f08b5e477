// Lets other processes of this machine's owner run statements on a database that this process has open. The shape is D1's REST API.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as z from 'zod'
import { runOnD1 } from './d1.ts'
import { DatabaseError } from './database.ts'

export interface DatabaseServer {
  /** On 127.0.0.1; statements go to `/raw` below it. */
  url: string
  token: string
  /** Takes no more statements and waits for those that run. */
  close(): Promise<void>
}

const BODY_LIMIT_BYTES = 10_000_000

const request = z.object({
  batch: z
    .array(z.object({ sql: z.string(), params: z.array(z.union([z.string(), z.number(), z.null()])).default([]) }))
    .min(1)
    .max(1000),
})

/** Serves `POST /raw`, `{"batch":[{"sql","params"}]}`, on any free port of 127.0.0.1, to those who know the token. */
export async function serveDatabase(db: D1Database, options: { bodyLimitBytes?: number } = {}): Promise<DatabaseServer> {
  const token = randomBytes(32).toString('base64url')
  const bodyLimitBytes = options.bodyLimitBytes ?? BODY_LIMIT_BYTES
  const running = new Set<Promise<void>>()
  const server = createServer((incoming, outgoing) => {
    const answered = answer(db, token, bodyLimitBytes, incoming)
      .catch((): Answer => ({ status: 500, body: failure('The gateway failed.') }))
      .then((given) => send(outgoing, given))
      .finally(() => running.delete(answered))
    running.add(answered)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  // The commands' work is no reason for the process to stay.
  server.unref()
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      await Promise.all(running)
      server.closeAllConnections()
      await closed
    },
  }
}

interface Answer {
  status: number
  body: object
}

async function answer(db: D1Database, token: string, bodyLimitBytes: number, incoming: IncomingMessage): Promise<Answer> {
  const refuse = (status: number, message: string): Answer => ({ status, body: failure(message) })
  if (!knows(token, incoming.headers.authorization ?? '')) return refuse(401, 'Authentication error')
  if (incoming.url !== '/raw') return refuse(404, 'Not found')
  if (incoming.method !== 'POST') return refuse(405, 'Method not allowed')
  const text = await readBody(incoming, bodyLimitBytes)
  if (text === null) return refuse(413, `The statements are larger than ${bodyLimitBytes} bytes.`)
  const read = request.safeParse(parseJson(text))
  if (!read.success) return refuse(400, 'The body has to be {"batch":[{"sql","params"}]}, with strings, numbers and null as params.')
  try {
    const results = await runOnD1(db, read.data.batch)
    return { status: 200, body: { success: true, errors: [], result: results.map((one) => ({ success: true, meta: {}, results: one })) } }
  } catch (error) {
    // What D1 says names tables and columns, never a parameter.
    if (error instanceof DatabaseError) return refuse(400, error.message)
    throw error
  }
}

function knows(token: string, authorization: string): boolean {
  const [given, expected] = [Buffer.from(authorization), Buffer.from(`Bearer ${token}`)]
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Null for more than `limitBytes`. */
async function readBody(incoming: IncomingMessage, limitBytes: number): Promise<string | null> {
  const pieces: Buffer[] = []
  let total = 0
  for await (const piece of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    total += piece.length
    if (total > limitBytes) {
      incoming.resume()
      return null
    }
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function failure(message: string): object {
  return { success: false, errors: [{ message }], result: [] }
}

/** Resolves when it is sent, or the caller has gone. A command comes and goes, so no connection is kept. */
function send(outgoing: ServerResponse, { status, body }: Answer): Promise<void> {
  const text = JSON.stringify(body)
  outgoing.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), connection: 'close' })
  return new Promise((resolve) => {
    outgoing.once('close', resolve)
    outgoing.end(text)
  })
}
