// Where a gateway that runs on this machine can be told statements: `gateway.json` in the state directory, for its owner's eyes only.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { type Endpoint, postStatements } from './http.ts'

const gatewayFile = z.object({
  pid: z.int().positive(),
  /** Of `serveDatabase`. */
  url: z.url({ protocol: /^http$/, hostname: /^127\.0\.0\.1$/ }),
  token: z.string().min(1),
  /** Where its Ollama answers; maybe a stand-in's address, which nothing else knows. */
  ollama: z.url().optional(),
})
export type GatewayFile = z.infer<typeof gatewayFile>

const PROBE_TIMEOUT_MS = 3_000

/** Writes the file for this process, whole and in one step, in place of whatever was there. */
export async function writeGatewayFile(stateDir: string, gateway: Omit<GatewayFile, 'pid'>): Promise<void> {
  await mkdir(stateDir, { recursive: true })
  const path = pathIn(stateDir)
  const draft = `${path}.${process.pid}`
  await rm(draft, { force: true })
  await writeFile(draft, `${JSON.stringify({ pid: process.pid, ...gateway })}\n`, { mode: 0o600 })
  await rename(draft, path)
}

/** Removes the file if it is this process's own. */
export async function removeGatewayFile(stateDir: string): Promise<void> {
  if ((await readFileAsIs(stateDir))?.pid === process.pid) await rm(pathIn(stateDir), { force: true })
}

/** The gateway that runs on the database in `stateDir`; null where none does: no file, its process is gone, or nobody answers to the token. */
export async function readGatewayFile(stateDir: string): Promise<GatewayFile | null> {
  const gateway = await readFileAsIs(stateDir)
  if (gateway === null || !isAlive(gateway.pid)) return null
  const answers = await postStatements(gatewayEndpoint(gateway), [{ sql: 'SELECT 1 AS one', params: [] }], PROBE_TIMEOUT_MS).then(
    () => true,
    () => false,
  )
  return answers ? gateway : null
}

export function gatewayEndpoint({ url, token }: GatewayFile): Endpoint {
  return {
    url: `${url}/raw`,
    token,
    who: 'The running gateway',
    explain: (status) => (status === 401 ? 'The running gateway does not know us: it was started anew. Try again.' : null),
  }
}

async function readFileAsIs(stateDir: string): Promise<GatewayFile | null> {
  try {
    return gatewayFile.parse(JSON.parse(await readFile(pathIn(stateDir), 'utf8')))
  } catch {
    return null
  }
}

function pathIn(stateDir: string): string {
  return join(stateDir, 'gateway.json')
}

/** A process of another user's is alive, too. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
