// The doctor of a gateway on this machine: npm start.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { GatewayFile } from '../database/gateway-file.ts'
import type { OpenDatabase } from '../database/open.ts'
import type { Settings } from '../start/settings.ts'
import type { Check } from './finding.ts'
import { unasked } from './finding.ts'
import { judgeGateway } from './gateway.ts'
import { askOllama, type HostAsked } from './host.ts'
import { askMigrations, askPrices } from './ledger.ts'
import { askPort, judgeNode, judgeSettings } from './machine.ts'
import { askHealth, LEDGER_CHECK, notePrices, opened, type Session, TOKEN_CHECKS, useDatabase } from './session.ts'

export interface LocalWorld extends Session {
  nodeVersion: string
  pinnedNode: string
  /** Throws SettingError. */
  readSettings(): Settings
  hasDevVars: boolean
  migrations: readonly string[]
  stateDir: string
  findGateway(stateDir: string): Promise<GatewayFile | null>
  open(): Promise<OpenDatabase>
  settings: Settings | null
  running: GatewayFile | null
  asked: HostAsked | null
}

const START = 'npm start'

export const LOCAL_CHECKS: readonly Check<LocalWorld>[] = [
  { name: 'node', title: 'Node', run: async ({ nodeVersion, pinnedNode }) => judgeNode(nodeVersion, pinnedNode) },
  {
    name: 'settings',
    title: 'settings',
    async run(world) {
      const { finding, settings } = judgeSettings(() => world.readSettings(), world.hasDevVars)
      world.settings = settings
      return finding
    },
  },
  { name: 'gateway', title: 'gateway', needs: ['settings'], run: lookForGateway },
  { name: 'host', title: 'Ollama', needs: ['settings'], run: lookForOllama },
  { name: 'database', title: 'schema', run: openAndCompare },
  LEDGER_CHECK,
  {
    name: 'prices',
    title: 'prices',
    needs: ['database', 'host'],
    run: async (world) =>
      notePrices(world, askPrices(opened(world), world.asked?.models ?? { why: 'Ollama does not answer' }, world.nowMs(), false)),
  },
  ...TOKEN_CHECKS,
]

/** One that runs has to answer; one that does not needs its port. */
async function lookForGateway(world: LocalWorld) {
  const { host, port, stateDir } = world.settings as Settings
  world.running = await world.findGateway(world.stateDir)
  const asked = await askHealth(world)
  if (world.running !== null)
    return judgeGateway(asked, world.baseUrl, `It runs, but not there: start this with the PORT that it was started with.`)
  const free = await askPort(host, port)
  return [...(free.level === 'ok' ? [] : [free]), unasked(`none runs on ${stateDir}`, START)]
}

async function lookForOllama(world: LocalWorld) {
  const { ollamaBaseUrl, access } = world.settings as Settings
  const usesStandIn = world.running?.ollama !== undefined && world.running.ollama !== ollamaBaseUrl
  world.asked = await askOllama(ollamaBaseUrl, access, usesStandIn)
  if (usesStandIn) world.asked.models = (await askOllama(world.running?.ollama ?? '', null, false)).models
  return world.asked.finding
}

async function openAndCompare(world: LocalWorld) {
  if (!existsSync(join(world.stateDir, 'v3'))) return unasked('there is no database yet', `${START} makes it.`)
  return useDatabase(world, await world.open(), (db) => askMigrations(db, world.migrations, `${START} applies them.`))
}
