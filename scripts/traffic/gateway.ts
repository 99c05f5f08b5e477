// The gateway that the traffic goes through: the stand-in behind it, the real Worker in workerd, and a clock that is set.
import { setTimeout as sleep } from 'node:timers/promises'
import { type StandIn, startStandIn } from '../../host/stand-in/server.ts'
import { runCommand } from '../admin/run-command.ts'
import { runOnD1 } from '../database/d1.ts'
import { databaseOver } from '../database/database.ts'
import type { Bundle } from '../start/bundle.ts'
import { type Gateway, startGateway } from '../start/gateway.ts'
import { waitForHolds } from '../start/holds.ts'
import { type Clock, movedDatabase } from './clock.ts'

const SETTLE_MS = 35_000

export interface TrafficGateway {
  url(): string
  standIn: StandIn
  /** Once nothing is in flight, the next second is this one. Throws where requests do not end. */
  setClock(atMs: number): Promise<void>
  /** One of the operator's commands, at that time. Returns its --json. Throws with its words where it fails. */
  admin<T>(...args: string[]): Promise<T>
  /** As a power cut, once a running request has written down what it delivered; then it is started again and settles what was left. */
  powerCut(): Promise<void>
  settled(): Promise<void>
  stop(): Promise<void>
}

export async function startTrafficGateway(bundle: Bundle, stateDir: string): Promise<TrafficGateway> {
  const standIn = await startStandIn({ pace: 'instant' })
  const clock: Clock = { aheadSeconds: 0 }
  const start = () => {
    const vars = { CHECKPOINT_SECONDS: '1' }
    return startGateway({ bundle, stateDir, host: '127.0.0.1', port: 0, ollamaUrl: standIn.url, vars, onLog: () => {} })
  }
  let gateway: Gateway = await start().catch(async (error) => {
    await standIn.close()
    throw error
  })
  const tell = async () => {
    const answer = await fetch(`${gateway.url}/traffic/clock`, { method: 'POST', body: JSON.stringify(clock) })
    if (answer.status !== 204) throw new Error(`the clock could not be set: ${answer.status}`)
  }
  const settled = async () => {
    const left = await waitForHolds(gateway.db, SETTLE_MS, () => {})
    if (left > 0) throw new Error(`${left} requests did not end within ${SETTLE_MS / 1000} s`)
  }
  return {
    url: () => gateway.url,
    standIn,
    settled,
    async setClock(atMs) {
      await settled()
      clock.aheadSeconds = Math.ceil((atMs - Date.now()) / 1000)
      await tell()
    },
    async admin<T>(...args: string[]) {
      const moved = movedDatabase(gateway.db, clock)
      const db = databaseOver({ run: (statements) => runOnD1(moved, statements), migrateHint: '', close: async () => {} })
      const io = { directory: stateDir, environment: { STATE_DIR: stateDir, GATEWAY_ADMIN: 'npm run traffic' } }
      const { code, err, json } = await runCommand([...args, '--json'], io, async () => ({ db, gateway: null }))
      if (code !== 0) throw new Error(`${args[0]}: ${err.trim()}`)
      return json<T>()
    },
    async powerCut() {
      const written = () => gateway.db.prepare('SELECT max(checkpoint_nano) AS n FROM holds').first<number>('n')
      for (let tries = 0; !(await written()); tries++) {
        if (tries > 100) throw new Error('the running request wrote nothing down')
        await sleep(100)
      }
      await gateway.kill()
      gateway = await start()
      await tell()
      await gateway.sweep()
      await settled()
    },
    async stop() {
      await gateway.stop({ graceMs: 0, settleMs: SETTLE_MS })
      await standIn.close()
    },
  }
}
