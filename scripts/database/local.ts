// The database on this machine: through the gateway if one is running, else opened here, by one process at a time.
import { join, relative } from 'node:path'
import { keepWorkerd } from '../start/keep-workerd.ts'
import { PROJECT_ROOT, WRANGLER_TOML } from '../start/project.ts'
import { runOnD1 } from './d1.ts'
import type { Transport } from './database.ts'
import { type GatewayFile, gatewayEndpoint, readGatewayFile } from './gateway-file.ts'
import { postStatements } from './http.ts'
import { type Patience, tryLockDatabase, waitForDatabase } from './lock.ts'
import { quietWrangler } from './wrangler.ts'

export interface LocalDatabase {
  transport: Transport
  /** The gateway it is reached through; null: opened here. */
  gateway: GatewayFile | null
}

/** Says where, too: a mistyped STATE_DIR looks like a ledger that is lost. */
function migrateHint(stateDir: string): string {
  return `run \`npm start\` once, which makes them. It is that of STATE_DIR=${relative(PROJECT_ROOT, stateDir)}.`
}

/** Opens it. A gateway that is just starting or stopping holds the lock, so it is waited for. Throws DatabaseError. */
export function openLocal(stateDir: string, patience: Patience = {}): Promise<LocalDatabase> {
  const attempt = async (): Promise<LocalDatabase | null> => {
    const gateway = await readGatewayFile(stateDir)
    if (gateway !== null) return { transport: throughGateway(gateway, stateDir), gateway }
    const lock = tryLockDatabase(stateDir)
    if (lock === null) return null
    try {
      return { transport: await openHere(stateDir, () => lock.release()), gateway: null }
    } catch (error) {
      lock.release()
      throw error
    }
  }
  return waitForDatabase(stateDir, attempt, patience)
}

function throughGateway(gateway: GatewayFile, stateDir: string): Transport {
  return {
    run: (statements) => postStatements(gatewayEndpoint(gateway), statements),
    migrateHint: migrateHint(stateDir),
    close: async () => {},
  }
}

/** The same SQLite file as `wrangler d1 … --local --persist-to stateDir` has. */
async function openHere(stateDir: string, closed: () => void): Promise<Transport> {
  keepWorkerd()
  const { getPlatformProxy } = await quietWrangler()
  const proxy = await getPlatformProxy<{ DB: D1Database }>({
    configPath: WRANGLER_TOML,
    persist: { path: join(stateDir, 'v3') },
    envFiles: [],
    remoteBindings: false,
  })
  return {
    run: (statements) => runOnD1(proxy.env.DB, statements),
    migrateHint: migrateHint(stateDir),
    async close() {
      await proxy.dispose()
      closed()
    },
  }
}
