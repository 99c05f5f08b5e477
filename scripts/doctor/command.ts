// The command line of the doctor: which gateway is looked at, and how what was found is told.
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve as resolvePath } from 'node:path'
import { Command, CommanderError } from 'commander'
import { type Deployment, readDeployment } from '../cloudflare/deployment.ts'
import { publicFetch } from '../cloudflare/public-fetch.ts'
import { readGatewayFile } from '../database/gateway-file.ts'
import { migrationNames } from '../database/migrate.ts'
import { openDatabase, stateDirOf } from '../database/open.ts'
import { cloudflareClient } from '../deploy/running.ts'
import { readSettings } from '../start/settings.ts'
import type { Check } from './finding.ts'
import { LOCAL_CHECKS, type LocalWorld } from './local.ts'
import type { Resolve } from './names.ts'
import { resultLine, resultsJson, sumLine, unseenLine } from './print.ts'
import { type RemoteWorld, remoteChecks } from './remote.ts'
import { type Result, runChecks } from './run-checks.ts'
import type { Session } from './session.ts'

export interface DoctorIo {
  out(text: string): void
  err(text: string): void
  colour: boolean
  /** Where .dev.vars and deployment.json are. */
  project: string
  /** What --key-file is relative to. */
  directory: string
  /** Without .dev.vars. */
  environment: Record<string, string | undefined>
  /** .dev.vars below the environment. */
  settings: Record<string, string | undefined>
  resolve: Resolve
  fetch: typeof fetch
  nowMs(): number
  nodeVersion: string
}

interface Options {
  local?: true
  keyFile?: string
  model?: string
  json?: true
}

const SLOW_MS = 2_000

/** Returns the exit code: 1 where something is wrong, 2 where nothing is, but not all could be seen, or for arguments that cannot be used. */
export async function doctor(args: string[], io: DoctorIo): Promise<number> {
  try {
    const options = readOptions(args, io)
    const deployment = options.local ? null : await readDeployment(io.project)
    const given = await givenKey(options, io)
    if (deployment === null) return await look('local', LOCAL_CHECKS, await localWorld(options, given, io), options, io)
    return await look('remote', remoteChecks(deployment), await remoteWorld(deployment, options, given, io), options, io)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    io.err(`error: ${(error as Error).message}\n`)
    return 1
  }
}

function readOptions(args: string[], io: DoctorIo): Options {
  const command = new Command('npm run doctor --')
    .description(
      'Looks at everything that a gateway needs, and says for each what is wrong and what helps. Remote where deployment.json is, else local.',
    )
    .option('--local', 'the gateway on this machine, even where one is deployed')
    .option('--key-file <file>', 'a customer key to try; else GATEWAY_KEY, else one is made for the check')
    .option('--model <name>', 'the model to try; else the first that the key may use')
    .option('--json', 'print one JSON value')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
  return command.parse(args, { from: 'user' }).opts<Options>()
}

async function givenKey({ keyFile }: Options, { directory, environment }: DoctorIo): Promise<string | null> {
  if (keyFile === undefined) return environment.GATEWAY_KEY || null
  return readFile(resolvePath(directory, keyFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`--key-file: ${keyFile} cannot be read (${error.code ?? error.message}).`)
  })
}

async function look<World extends Session>(
  where: 'local' | 'remote',
  checks: readonly Check<World>[],
  world: World,
  { json }: Options,
  io: DoctorIo,
): Promise<number> {
  let slow: NodeJS.Timeout | undefined
  let results: Result[]
  try {
    results = await runChecks(checks, world, {
      onStart(title) {
        clearTimeout(slow)
        slow = setTimeout(() => io.err(`  ${title} …\n`), SLOW_MS)
      },
      onResult: (result) => json || io.out(`${resultLine(result, io.colour)}\n`),
    })
  } finally {
    clearTimeout(slow)
    await world.lent?.giveBack()
    await world.db?.close()
  }
  const end = [sumLine(results), unseenLine(results)].filter((line) => line !== null).join('\n')
  io.out(json ? `${JSON.stringify(resultsJson(where, results), null, 2)}\n` : `${end}\n`)
  if (results.some(({ level }) => level === 'error')) return 1
  return results.some(({ level }) => level === 'skipped') ? 2 : 0
}

async function sessionOf(
  { model }: Options,
  given: string | null,
  { nowMs }: DoctorIo,
): Promise<Omit<Session, 'remote' | 'fetch' | 'baseUrl'>> {
  return { nowMs, givenKey: given, givenModel: model ?? null, db: null, lent: null, hasModels: true, health: null }
}

async function localWorld(options: Options, given: string | null, io: DoctorIo): Promise<LocalWorld> {
  const path = join(io.project, '.dev.vars')
  const devVars = existsSync(path) ? readFileSync(path, 'utf8') : null
  const stateDir = stateDirOf(io.settings)
  const pinned = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
    devDependencies: { node: string }
  }
  const host = io.settings.HOST || '127.0.0.1'
  return {
    ...(await sessionOf(options, given, io)),
    remote: false,
    fetch: io.fetch,
    baseUrl: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${io.settings.PORT || '8787'}`,
    nodeVersion: io.nodeVersion,
    pinnedNode: pinned.devDependencies.node,
    readSettings: () => readSettings(io.environment as NodeJS.ProcessEnv, devVars ?? '', false),
    hasDevVars: devVars !== null,
    migrations: await migrationNames(),
    stateDir,
    findGateway: readGatewayFile,
    open: () => openDatabase(io.settings, { remote: false, onWait: (message) => io.err(`${message}\n`) }),
    settings: null,
    running: null,
    asked: null,
  }
}

async function remoteWorld(deployment: Deployment, options: Options, given: string | null, io: DoctorIo): Promise<RemoteWorld> {
  const { CF_ACCESS_CLIENT_ID: clientId, CF_ACCESS_CLIENT_SECRET: clientSecret } = io.settings
  const environment = { ...io.settings, CLOUDFLARE_ACCOUNT_ID: deployment.accountId, D1_DATABASE_ID: deployment.database?.id }
  return {
    ...(await sessionOf(options, given, io)),
    remote: true,
    fetch: publicFetch(io.environment),
    baseUrl: `https://${deployment.public.hostname}`,
    deployment,
    resolve: io.resolve,
    client: io.settings.CLOUDFLARE_API_TOKEN?.trim() ? cloudflareClient(io.settings) : null,
    migrations: await migrationNames(),
    access: clientId && clientSecret ? { clientId, clientSecret } : null,
    hasHalfAccess: Boolean(clientId) !== Boolean(clientSecret),
    open: () => openDatabase(environment, { remote: true, onWait: () => {} }),
  }
}
