// A client for tests that sees what fetch hides: single HTTP chunks, and whether the body ended as HTTP wants it.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

interface RawAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  /** The HTTP chunks without their framing; one for a body with a length. */
  chunks: string[]
  body: string
  /** The terminating chunk came, or all bytes of the length. */
  complete: boolean
}

/** Sends one request on a connection of its own. */
export async function rawRequest(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Socket> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const payload = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const all = {
    host,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(payload)),
    connection: 'close',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${payload}`)
  return socket
}

/** Sends one request and reads its answer until the connection closes. */
export async function raw(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const socket = await rawRequest(url, method, path, body, headers)
  const parts: Buffer[] = []
  for await (const part of socket) parts.push(part as Buffer)
  return parsed(Buffer.concat(parts), method === 'HEAD')
}

function parsed(bytes: Buffer, headOnly: boolean): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString().split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  const rest = bytes.subarray(end + 4)
  const base = { status: Number(statusLine.split(' ')[1]), headers }
  if (headers['transfer-encoding'] === 'chunked') return { ...base, ...unchunked(rest) }
  const complete = headOnly || rest.length === Number(headers['content-length'] ?? 0)
  return { ...base, chunks: rest.length === 0 ? [] : [rest.toString()], body: rest.toString(), complete }
}

function unchunked(bytes: Buffer): Pick<RawAnswer, 'chunks' | 'body' | 'complete'> {
  const chunks: Buffer[] = []
  let at = 0
  let complete = false
  while (at < bytes.length && !complete) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16)
    complete = size === 0
    if (!complete) chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
  return { chunks: chunks.map(String), body: Buffer.concat(chunks).toString(), complete }
}
