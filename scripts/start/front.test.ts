import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Front, openFront } from './front.ts'

let inner: Server
let front: Front

/** A server in workerd's place. */
async function innerOf(serve: (socket: Socket) => void): Promise<number> {
  inner = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    serve(socket)
  })
  inner.listen(0, '127.0.0.1')
  await once(inner, 'listening')
  return (inner.address() as AddressInfo).port
}

async function frontOf(serve: (socket: Socket) => void): Promise<void> {
  front = await openFront({ host: '127.0.0.1', port: 0, target: innerOf(serve) })
}

function call(): Socket {
  const socket = connect({ host: '127.0.0.1', port: front.port, allowHalfOpen: true })
  socket.on('error', () => {})
  return socket
}

/** How a socket closes: by a reset (which a write meets as EPIPE) or not. */
function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve(['ECONNRESET', 'EPIPE'].includes(error.code ?? '') ? 'reset' : String(error.code)),
    )
    socket.on('close', () => resolve('closed'))
  })
}

afterEach(() => {
  front.stopAccepting()
  front.resetAll()
  inner.close()
})

test('bytes pass unchanged in both directions', async () => {
  await frontOf((socket) => socket.pipe(socket))
  const caller = call()
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251))
  caller.write(sent)
  const pieces: Buffer[] = []
  for await (const piece of caller) {
    pieces.push(piece)
    if (Buffer.concat(pieces).length >= sent.length) break
  }
  expect(Buffer.concat(pieces).equals(sent)).toBe(true)
})

test('a caller who closes before an answer begins is a reset to workerd', async () => {
  const seen = Promise.withResolvers<string>()
  await frontOf((socket) => {
    socket.once('data', () => caller.destroy())
    ending(socket).then(seen.resolve)
  })
  const caller = call()
  caller.write('the request')
  expect(await seen.promise).toBe('reset')
})

test('a caller who has read all and closes is closed in return', async () => {
  await frontOf((socket) => socket.once('data', () => socket.write('the answer')))
  const caller = call()
  caller.write('the request')
  await once(caller, 'data')
  caller.end()
  expect(await ending(caller)).toBe('closed')
})

test('after stopAccepting a caller who is connected gets the rest of an answer, and no new request through', async () => {
  const heard: string[] = []
  const answer = Promise.withResolvers<Socket>()
  await frontOf((socket) => {
    socket.on('data', (piece) => heard.push(String(piece)))
    socket.once('data', () => answer.resolve(socket))
  })
  const caller = call()
  caller.write('first')
  const socket = await answer.promise
  front.stopAccepting()
  caller.write('second')
  socket.write('the rest')
  expect(String((await once(caller, 'data'))[0])).toBe('the rest')
  expect(heard).toEqual(['first'])
})

test('a caller who resets is a reset to workerd', async () => {
  const seen = Promise.withResolvers<string>()
  await frontOf((socket) => {
    socket.once('data', () => caller.resetAndDestroy())
    ending(socket).then(seen.resolve)
  })
  const caller = call()
  caller.write('the request')
  expect(await seen.promise).toBe('reset')
})

test('a caller who closes in the middle of an answer is a reset to workerd', async () => {
  const seen = Promise.withResolvers<string>()
  await frontOf((socket) => {
    const tokens = setInterval(() => socket.write('token '), 5)
    socket.on('close', () => clearInterval(tokens))
    ending(socket).then(seen.resolve)
  })
  const caller = call()
  caller.write('the request')
  await once(caller, 'data')
  caller.destroy()
  expect(await seen.promise).toBe('reset')
})

test('an answer that workerd breaks off is broken off for the caller', async () => {
  await frontOf((socket) => socket.once('data', () => socket.write('half', () => socket.resetAndDestroy())))
  const caller = call()
  caller.write('the request')
  caller.resume()
  expect(await ending(caller)).toBe('reset')
})

test('a caller who does not read holds workerd back', async () => {
  let written = 0
  const stalled = Promise.withResolvers<void>()
  await frontOf((socket) => {
    const chunk = Buffer.alloc(65_536)
    const fill = () => {
      while (socket.write(chunk) && written < 1e9) written += chunk.length
      stalled.resolve()
    }
    socket.on('drain', fill)
    fill()
  })
  const caller = call()
  caller.pause()
  await stalled.promise
  // Socket buffers hold some megabytes; a front without back-pressure would take the gigabyte.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(written).toBeLessThan(100e6)
})

test('resetAll ends every connection on both sides, and no new one is taken after stopAccepting', async () => {
  const seen = Promise.withResolvers<string>()
  await frontOf((socket) => {
    ending(socket).then(seen.resolve)
    socket.write('begun')
  })
  const caller = call()
  await once(caller, 'data')
  front.stopAccepting()
  const refused = new Promise((resolve) => call().on('error', (error: NodeJS.ErrnoException) => resolve(error.code)))
  expect(await refused).toBe('ECONNREFUSED')
  expect(front.connections()).toBe(1)
  front.resetAll()
  expect(await ending(caller)).toBe('reset')
  expect(await seen.promise).toBe('reset')
  expect(front.connections()).toBe(0)
})

test('callers who come before workerd is up wait for it', async () => {
  const port = await innerOf((socket) => socket.end('ready'))
  const target = Promise.withResolvers<number>()
  front = await openFront({ host: '127.0.0.1', port: 0, target: target.promise })
  const caller = call()
  await once(caller, 'connect')
  target.resolve(port)
  expect(Buffer.concat(await caller.toArray()).toString()).toBe('ready')
})

test('a port that is taken is refused with EADDRINUSE', async () => {
  await frontOf(() => {})
  await expect(openFront({ host: '127.0.0.1', port: front.port, target: Promise.resolve(1) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})
