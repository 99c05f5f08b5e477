// Callers who stop reading in the middle of a long answer that the host sends as fast as it can.
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { chatBody } from './chat-body.ts'
import type { Subject } from './subjects.ts'

export const STALLED_READERS = 16
/** Far more than the kernel's own buffers take, which is some megabytes. */
const STALLED_TOKENS = 400_000
/** As the host sends them. */
export const STALLED_BYTES = STALLED_TOKENS * 222
const SAMPLE_MS = 100

/** Returns the most that `memoryMib` said while they stood still. */
export async function stallReaders(subject: Subject, stallMs: number, memoryMib: () => number): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: STALLED_READERS }, () => stall(subject)))
  let most = memoryMib()
  for (const endMs = performance.now() + stallMs; performance.now() < endMs; ) {
    await sleep(SAMPLE_MS)
    most = Math.max(most, memoryMib())
  }
  for (const socket of sockets) socket.destroy()
  return most
}

/** Asks, waits for the first bytes of the answer, and reads no more. */
function stall({ origin, path, headers, model }: Subject): Promise<Socket> {
  const { host, hostname, port } = new URL(origin)
  const body = chatBody(model, { streaming: true, tokens: STALLED_TOKENS })
  const lines = Object.entries({ host, 'content-type': 'application/json', 'content-length': String(body.length), ...headers })
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.once('error', reject)
    socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
    socket.once('data', (chunk) => {
      socket.pause()
      // A gateway may end a caller who does not read.
      socket.off('error', reject).on('error', () => {})
      const status = chunk.toString('latin1').split('\r\n')[0] ?? ''
      if (status.includes(' 200')) resolve(socket)
      else reject(new Error(`memory: ${origin}${path} answered: ${status}`))
    })
  })
}
