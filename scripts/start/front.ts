// A raw TCP front: bytes pass between callers and workerd's own port, and a hang-up is passed on as the reset that workerd understands.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface FrontOptions {
  host: string
  /** 0: any free port. */
  port: number
  /** workerd's port on loopback; callers who come before it is known wait. */
  target: Promise<number>
}

export interface Front {
  port: number
  /** Callers connected now. */
  connections(): number
  /** Takes no new callers, and no new requests of those that are connected: what they send from now on stays unread. */
  stopAccepting(): void
  /** Resets every connection on both sides: workerd sees its callers hang up, the callers see a broken answer, not a short one. */
  resetAll(): void
}

/** A caller who is gone without a word is found out by the system's probes. */
const KEEP_ALIVE_MS = 30_000

/** Listens at once. Rejects with the system's error (`code` EADDRINUSE, EACCES, …) when it cannot. */
export async function openFront({ host, port, target }: FrontOptions): Promise<Front> {
  const resets = new Map<Socket, () => void>()
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }, (caller) => {
    caller.on('error', ignore)
    caller.on('close', () => resets.delete(caller))
    resets.set(caller, () => caller.resetAndDestroy())
    target.then(
      (innerPort) => {
        if (!caller.destroyed) resets.set(caller, join(caller, innerPort))
      },
      () => caller.resetAndDestroy(),
    )
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => resets.size,
    stopAccepting() {
      server.close()
      for (const caller of resets.keys()) caller.unpipe().pause()
    },
    resetAll() {
      for (const reset of [...resets.values()]) reset()
    },
  }
}

/**
 * Joins a caller with workerd; returns what resets both.
 * A caller who closes or resets is a reset to workerd, which would not notice a plain close before its answer begins. HTTP clients do not
 * close one side and go on reading; nginx takes it as a hang-up, too.
 */
function join(caller: Socket, port: number): () => void {
  const inner = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
  caller.pipe(inner, { end: false })
  inner.pipe(caller)
  caller.on('end', () => {
    inner.resetAndDestroy()
    caller.end()
  })
  inner.on('error', () => caller.resetAndDestroy())
  caller.on('close', () => inner.resetAndDestroy())
  return () => {
    inner.resetAndDestroy()
    caller.resetAndDestroy()
  }
}

/** What follows an error is done when the socket closes. */
function ignore(): void {}
