// Set-up as a whole: token, choices, steps, and what is told at the end.
import type Cloudflare from 'cloudflare'
import { DEPLOYMENT_FILE, type Deployment, readDeployment, writeDeployment } from '../cloudflare/deployment.ts'
import { openApi } from './api.ts'
import { choose, refuseOtherChoice } from './choose.ts'
import { ownSecrets } from './dev-vars.ts'
import { farewell } from './farewell.ts'
import { locationHere } from './location.ts'
import { HELP, type Options, readOptions, UsageError } from './options.ts'
import { explain, SetupError, Stopped, TOKENS_PAGE } from './problem.ts'
import { checkAccount, checkRights, rightsTable, verifyToken } from './rights.ts'
import { explained, findAll, makeAll, stepsOf } from './run-steps.ts'
import { type Ask, LOCATIONS, type Location, type Setup, type Step } from './setup-context.ts'
import type { DeployWorker } from './steps/worker.ts'
import { undo } from './undo.ts'

/** The world around set-up. */
export interface SetupIo {
  out(line: string): void
  err(line: string): void
  /** Null: nobody is there. */
  ask: Ask | null
  /** Where deployment.json, box.env and .dev.vars lie. */
  directory: string
  environment: Record<string, string | undefined>
  signal: AbortSignal
  sleep(ms: number): Promise<void>
  publicFetch: typeof fetch | null
  /** Null: the owner is told to run `npm run deploy`. */
  deployWorker: DeployWorker | null
  timeoutMs?: number
}

/** Takes every default. */
const DEFAULTS: Ask = { text: async (_, fallback) => fallback, yes: async (_, fallback) => fallback }

/** Returns the exit code: 1 it could not be done, 2 the command line, 130 stopped. */
export async function runSetup(args: readonly string[], io: SetupIo): Promise<number> {
  const done: string[] = []
  const token = io.environment.CLOUDFLARE_API_TOKEN?.trim() ?? ''
  const tell = (text: string) => io.err(token === '' ? text : text.replaceAll(token, '…'))
  try {
    const options = readOptions(args)
    if (options.help) {
      io.out(HELP.trimEnd())
      return 0
    }
    return await run(options, token, io, done)
  } catch (caught) {
    const error = explain(caught, [])
    const verb = args.includes('--undo') ? 'removed' : 'made'
    const soFar = done.length > 0 ? `So far ${verb}: ${done.join(', ')}.` : `Nothing was ${verb}.`
    if (error instanceof Stopped || io.signal.aborted) {
      tell(`Stopped. ${soFar} Run the same command again: it goes on.`)
      return 130
    }
    if (!(error instanceof SetupError) && !(error instanceof UsageError)) {
      tell(`error: ${(error as Error).message}`)
      return 1
    }
    tell(`error: ${error.message}`)
    if (done.length > 0) tell(soFar)
    return error instanceof UsageError ? 2 : 1
  }
}

async function run(options: Options, token: string, io: SetupIo, done: string[]): Promise<number> {
  const ask = options.yes ? DEFAULTS : io.ask
  if (token === '') throw new SetupError(noToken(options.noDomain))
  if (!/^[\x21-\x7e]+$/.test(token)) throw new SetupError('CLOUDFLARE_API_TOKEN has characters in it that cannot be: copy it again.')
  const client = openApi({
    ...{ token, baseUrl: io.environment.CLOUDFLARE_API_BASE_URL, signal: io.signal, say: io.out, sleep: io.sleep, dryRun: options.dryRun },
    ...(io.timeoutMs === undefined ? {} : { timeoutMs: io.timeoutMs }),
  })
  const known = await readDeployment(io.directory)
  if (known !== null) refuseOtherChoice(known, options)
  await ownSecrets(io.directory)
  await verifyToken(client, known?.accountId ?? options.account)
  if (known !== null) await checkAccount(client, known.accountId)
  if (ask === null)
    throw new UsageError('Nobody is there to be asked: give --yes, and what is not to be the default (npm run setup -- --help).')
  if (options.undo) return undoAll({ options, client, ask, known, io, done })

  const deployment = known ?? (await choose({ client, options, ask, say: io.out }))
  await tryRights(client, deployment, options, io)
  const location = await chooseLocation(options, deployment, ask, io)
  const hints: string[] = []
  const setup = setupOf({ client, deployment, ask, options, io, location, hints })
  const steps = stepsOf(setup, io.deployWorker)
  io.out('Looking at what is there …')
  const found = await findAll(setup, steps)
  sayPlan(setup, found)
  if (known === null) sayAdopted(found, io)
  for (const step of steps) if (found.get(step) === null) await explained(step, async () => step.ask?.(setup))
  if (!options.dryRun && known === null && !(await ask.yes('Go on?', true))) throw new Stopped()
  await setup.save()
  await makeAll(setup, steps, found, done, io.signal)
  for (const line of options.dryRun ? ['', 'Nothing was written.'] : await farewell(setup, done, io.deployWorker !== null)) io.out(line)
  for (const hint of hints) io.out(`! ${hint}`)
  return 0
}

interface SetupParts {
  client: Cloudflare
  deployment: Deployment
  ask: Ask
  options: Options
  io: SetupIo
  location: Location
  hints: string[]
}

function setupOf({ client, deployment, ask, options, io, location, hints }: SetupParts): Setup {
  return {
    ...{ client, deployment, ask, location, directory: io.directory, sleep: io.sleep, publicFetch: io.publicFetch, dryRun: options.dryRun },
    say: io.out,
    hint: (line) => void hints.push(line),
    save: async () => {
      if (!options.dryRun) await writeDeployment(io.directory, deployment)
    },
  }
}

async function tryRights(client: Cloudflare, deployment: Deployment, options: Options, io: SetupIo): Promise<void> {
  const kind = deployment.public.kind === 'domain' ? 'domain' : 'no-domain'
  if (options.dryRun) return io.out(`The token needs these rights; without --dry-run they are tried first:\n${rightsTable(kind)}`)
  io.out("Trying the API token's rights …")
  const zone = deployment.public.kind === 'domain' ? deployment.public.zoneId : ''
  const without = await checkRights(client, kind, deployment.accountId, zone)
  const missing = without.map(({ name, use }) => `${name} (${use})`).join(', ')
  io.out(
    missing === ''
      ? 'The API token has all rights.'
      : `The API token has the rights that are needed. It lacks ${missing}: set-up says what to do by hand.`,
  )
}

async function chooseLocation(options: Options, deployment: Deployment, ask: Ask, io: SetupIo): Promise<Location> {
  const guess = locationHere()
  if (deployment.database !== undefined) {
    if (options.location !== undefined) io.out('The database is made already: --location changes nothing.')
    return guess
  }
  if (options.location !== undefined) return options.location
  const places = Object.entries(LOCATIONS).map(([key, place]) => `${key} ${place}`)
  const answer = (await ask.text(`Where is the box (${places.join(', ')})?`, guess)).trim()
  if (answer in LOCATIONS) return answer as Location
  throw new UsageError(`--location ${answer}: one of ${Object.keys(LOCATIONS).join(', ')} is needed.`)
}

function sayPlan({ deployment, say }: Setup, found: Map<Step, string | null>): void {
  const missing = [...found].flatMap(([{ name }, there]) => (there === null ? [name] : []))
  say(`Customers call https://${deployment.public.hostname}`)
  say(
    deployment.host.kind === 'access'
      ? `The box is https://${deployment.host.hostname}, behind Cloudflare Access`
      : 'The box has no hostname: Workers VPC',
  )
  say(missing.length === 0 ? 'All is there already; it is tried again.' : `To make: ${missing.join(', ')}`)
}

/** What is known by its name alone: the owner sees what a later undo would remove before agreeing. */
function sayAdopted(found: Map<Step, string | null>, { out }: SetupIo): void {
  const adopted = [...found].flatMap(([{ name, toUndo }, there]) => (there === null || toUndo !== undefined ? [] : [`${name} (${there})`]))
  if (adopted.length > 0) out(`There by its name, and taken for an earlier set-up's: ${adopted.join(', ')}`)
}

interface UndoParts extends Omit<SetupParts, 'deployment' | 'location' | 'hints'> {
  known: Deployment | null
  done: string[]
}

async function undoAll({ options, client, ask, known, io, done }: UndoParts): Promise<number> {
  if (known === null) {
    io.out(
      `Nothing was set up from here: there is no ${DEPLOYMENT_FILE}. If it was lost, run npm run setup first: it finds what is at Cloudflare.`,
    )
    return 0
  }
  io.out('Looking at what is there …')
  const hints: string[] = []
  const setup = setupOf({ client, deployment: known, ask, options, io, location: locationHere(), hints })
  const agreed = await undo(setup, options, done, io.signal)
  io.out(options.dryRun ? 'Nothing was written.' : agreed ? 'Undone.' : 'Nothing was removed.')
  if (agreed) for (const hint of hints) io.out(`! ${hint}`)
  return 0
}

function noToken(noDomain: boolean): string {
  return `Set-up needs an API token of your Cloudflare account. Make one at ${TOKENS_PAGE} (Create Token > Create Custom Token) with these rights, for your account and your domain:
${rightsTable(noDomain ? 'no-domain' : 'domain')}
Then, so that it gets into no history:
  read -rs CLOUDFLARE_API_TOKEN && export CLOUDFLARE_API_TOKEN
and run npm run setup again.`
}
