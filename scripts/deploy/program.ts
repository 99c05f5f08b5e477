// The command lines of `npm run deploy` and `npm run upgrade`.
import { Command, CommanderError, Option } from 'commander'
import { Failure, type Io, type Output, Stopped, UsageError } from '../admin/context.ts'
import { plural } from '../admin/table.ts'
import { type Deployment, readDeployment, writeDeployment } from '../cloudflare/deployment.ts'
import { databaseErrorIn } from '../database/database.ts'
import { forgetSecrets, readSecrets as secretsOfSetup } from '../setup/secrets-file.ts'
import { type BackupTaken, backUp, backupName } from './backup.ts'
import { withPlan } from './choose-plan.ts'
import { type DeployOptions, deployPrepared } from './deploy-worker.ts'
import { PLAN_NAMES, type Plan } from './plans.ts'
import { type Prepared, prepare } from './prepare.ts'
import { readSecrets } from './secrets-file.ts'
import { wordDeployed, wordDryRun } from './words.ts'

interface Options {
  plan?: Plan
  secretsFile?: string
  backup?: string
  wait?: number
  despiteFindings?: true
  dryRun?: true
  json?: true
  yes?: true
}

type Kind = 'deploy' | 'upgrade'

const ABOUT: Record<Kind, string> = {
  deploy:
    'Migrates the deployed database, uploads the Worker, and waits until the public address answers with it; goes back where that fails.',
  upgrade: 'Backs up the deployed database, then does what deploy does.',
}

/**
 * Runs it. Returns the exit code: 0; 1 where it could not be done; 2 for options that cannot be used; 130 where it was stopped.
 * @param directory where deployment.json lies
 * @param signal stops it
 */
export async function runDeploy(kind: Kind, args: string[], io: Io, directory: string, signal?: AbortSignal): Promise<number> {
  try {
    const output = await run(kind, readOptions(kind, args, io), { io, directory, signal })
    await io.out(output)
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const known = databaseErrorIn(error) ?? (error as Error)
    io.err(`error: ${known.message}\n`)
    if (error instanceof Stopped) return 130
    if (!(known instanceof Failure || known instanceof UsageError) && databaseErrorIn(error) === null) io.err(`${(error as Error).stack}\n`)
    if (signal?.aborted) return 130
    return error instanceof UsageError ? 2 : 1
  }
}

function readOptions(kind: Kind, args: string[], io: Io): Options {
  const command = new Command(`npm run ${kind} --`)
    .description(ABOUT[kind])
    .addOption(new Option('--plan <plan>', 'the plan of Workers that the account is on; kept in deployment.json').choices(PLAN_NAMES))
    .option('--secrets-file <file>', 'secrets to set with it, as .dev.vars is written; - for standard input')
    .addOption(new Option('--wait <seconds>', 'how long the public address may take').argParser(seconds))
    .option('--despite-findings', 'although verify-ledger finds rows that disagree')
    .option('--dry-run', 'only look, and tell what would be done')
    .option('--json', 'print one JSON value')
    .option('--yes', 'do not ask')
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.out(text), writeErr: io.err })
  if (kind === 'upgrade') command.option('--backup <file>', 'where the backup goes (default: gateway-<date>.jsonl.gz)')
  return command.parse(args, { from: 'user' }).opts<Options>()
}

function seconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new UsageError('--wait: it has to be a whole number of seconds.')
}

interface World {
  io: Io
  directory: string
  signal: AbortSignal | undefined
}

async function run(kind: Kind, options: Options, { io, directory, signal }: World): Promise<string> {
  const say = (line: string) => io.err(`${line}\n`)
  const there = await readDeployment(directory).catch((error: Error) => {
    throw new Failure(error.message)
  })
  if (there === null) throw new Failure('There is no deployment.json here: run npm run setup first, which makes what a deploy needs.')
  const secrets = { ...(await secretsOfSetup(directory)), ...(await readSecrets(options.secretsFile, io)) }
  const deployment = await withPlan(there, options.plan, io)
  const { environment } = io
  const how: DeployOptions = {
    ...{ deployment, plan: deployment.plan, environment, secrets, say },
    ...(options.wait === undefined ? {} : { waitMs: options.wait * 1000 }),
    ...(options.despiteFindings ? { despiteFindings: true } : {}),
    ...(signal === undefined ? {} : { signal }),
  }
  const prepared = await prepare(how)
  try {
    if (options.dryRun) return printed(wordDryRun(kind, prepared, how), options)
    await confirm(options, io, deployment, prepared)
    const backup = kind === 'upgrade' ? await backUpFirst(prepared, options, io) : null
    const deployed = await deployPrepared(prepared, how).catch((error) => {
      if (backup === null) throw error
      const reason = databaseErrorIn(error)?.message ?? (error as Error).message
      throw new Failure(
        `${reason}\nThe backup of before is ${backup.file}; docs/backup.md tells how it is restored, should that be needed.`,
      )
    })
    if (deployment.plan !== there.plan) await writeDeployment(directory, deployment)
    await forgetSecrets(directory)
    return printed(wordDeployed(deployed, backup), options)
  } finally {
    await prepared.db.close()
  }
}

function printed({ json, text }: Output, options: Options): string {
  return `${options.json ? JSON.stringify(json, null, 2) : text}\n`
}

async function confirm({ yes }: Options, io: Io, deployment: Deployment, { pending, checkout }: Prepared): Promise<void> {
  if (yes) return
  if (io.ask === null) throw new UsageError('--yes is missing: without a terminal there is nobody to ask. Nothing was changed.')
  const migrations = pending.length === 0 ? '' : ` (${plural(pending.length, 'migration')})`
  const question = `Deploy ${checkout.release} to https://${deployment.public.hostname}${migrations}?`
  if (!(await io.ask(question))) throw new Failure('not confirmed: nothing was changed.')
}

async function backUpFirst({ db, before, pending }: Prepared, { backup }: Options, io: Io): Promise<BackupTaken | null> {
  if (before === null && pending.some(({ name }) => name.startsWith('0001_'))) {
    io.err('The database is new: there is nothing to back up.\n')
    return null
  }
  io.err('Backing up the deployed database …\n')
  const taken = await backUp(db, backup ?? backupName(Date.now()), io)
  io.err(`  ${plural(taken.rows, 'row')} in ${taken.file}\n`)
  return taken
}
