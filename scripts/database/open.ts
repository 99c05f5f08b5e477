// Finds the database a command means: the one on this machine, or the deployed one.
import { resolve } from 'node:path'
import { PROJECT_ROOT } from '../start/project.ts'
import { type Database, databaseOver } from './database.ts'
import type { GatewayFile } from './gateway-file.ts'
import { openLocal } from './local.ts'
import { remoteTransport } from './remote.ts'

export interface OpenDatabase {
  db: Database
  /** The gateway that runs on it on this machine, if one does. */
  gateway: GatewayFile | null
}

/** Where this machine keeps its database, and what goes with it. */
export function stateDirOf(environment: Record<string, string | undefined>): string {
  return resolve(PROJECT_ROOT, environment.STATE_DIR || '.wrangler/state')
}

/**
 * @param environment STATE_DIR for the local one; for the deployed one see `remoteTransport`.
 * @param onWait hears what is waited for, if it takes over two seconds.
 * Throws DatabaseError.
 */
export async function openDatabase(
  environment: Record<string, string | undefined>,
  { remote, onWait }: { remote: boolean; onWait(message: string): void },
): Promise<OpenDatabase> {
  if (remote) return { db: databaseOver(await remoteTransport(environment)), gateway: null }
  const stateDir = stateDirOf(environment)
  const { transport, gateway } = await openLocal(stateDir, { onWait })
  return { db: databaseOver(transport), gateway }
}
