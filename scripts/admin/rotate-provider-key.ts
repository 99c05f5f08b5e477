// rotate-provider-key: another key for a vendor, tried before it is set.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Argument, type Command } from 'commander'
import { configOf } from '../../worker/config.ts'
import { VENDORS, type Vendor } from '../catalogue/format.ts'
import { readDeployment } from '../cloudflare/deployment.ts'
import { publicFetch } from '../cloudflare/public-fetch.ts'
import { cloudflareClient } from '../deploy/running.ts'
import { setDevVar } from '../rotation/dev-vars.ts'
import { KEY_PAGES, tryProviderKey } from '../rotation/try-provider-key.ts'
import { giveSecrets, putSecretsBy } from '../rotation/worker-secrets.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import { KEY_SETTINGS, VENDOR_NAMES } from '../start/vendors.ts'
import { audited } from './audit.ts'
import { type Context, Failure, type Io, type Output, UsageError } from './context.ts'
import type { CommonOptions, Shell } from './shell.ts'

interface Options extends CommonOptions {
  keyFile?: string
}

export function rotateProviderKeyCommand(shell: Shell): Command {
  return shell
    .command(
      'rotate-provider-key',
      "Sets another API key of a vendor, once the vendor takes it. It is read from standard input, or a file: a command line is others' to read.",
      'rotate-provider-key openai --key-file new-key.txt --remote',
    )
    .addArgument(new Argument('<vendor>', 'whose key it is').choices(VENDORS))
    .option('--key-file <file>', 'where the new key is; standard input unless told')
    .action((vendor: Vendor, options: Options) => shell.run(options, (context) => rotate(context, vendor, options)))
}

async function rotate(context: Context, vendor: Vendor, options: Options): Promise<Output> {
  const { db, who, io, remote } = context
  const apiKey = await readKey(options, io)
  const name = KEY_SETTINGS[vendor]
  io.err(`Asking ${VENDOR_NAMES[vendor]} for its models with the new key …\n`)
  const models = await tryProviderKey(fetch, vendor, { baseUrl: baseUrlOf(vendor, io), apiKey })
  const where = remote ? await setAtWorker(name, apiKey, io) : await setHere(name, apiKey, context)
  const change = { who, command: 'rotate-provider-key', target: `${name}${remote ? '' : ' in .dev.vars'}`, before: null }
  await audited(db, { ...change, after: { sql: "SELECT json_object('models', ?)", params: [models] } }, [])
  const next = `Now delete the old one at ${KEY_PAGES[vendor]}.`
  return {
    json: { vendor, setting: name, models, where: remote ? 'worker' : '.dev.vars', delete_old_at: KEY_PAGES[vendor] },
    text: `${VENDOR_NAMES[vendor]} takes the new key, and shows it ${models} models. ${where}\n${next}`,
  }
}

/** Throws UsageError, which holds nothing of it. */
async function readKey({ keyFile }: Options, io: Io): Promise<string> {
  const key = (keyFile === undefined ? await givenKey(io) : await keyIn(keyFile, io)).trim()
  if (keyFile === undefined && key === '') throw new UsageError('Give the new key with --key-file FILE, or on standard input.')
  if (/^[\w.-]{20,500}$/.test(key)) return key
  throw new UsageError('What was given is no API key: it has to be one line of letters, digits, - and _, and nothing else.')
}

function keyIn(keyFile: string, { directory }: Io): Promise<string> {
  return readFile(resolve(directory, keyFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--key-file: ${keyFile} cannot be read (${error.code ?? error.message}).`)
  })
}

/** '': none was. */
async function givenKey({ input, askSecret }: Io): Promise<string> {
  if (input) return input()
  return (await askSecret?.('The new key')) ?? ''
}

/** Where the vendor is asked, as the settings have it. */
function baseUrlOf(vendor: Vendor, { environment }: Io): string {
  try {
    const { vendors } = configOf({ ...environment, [KEY_SETTINGS[vendor]]: 'any' })
    return vendors[vendor]?.baseUrl ?? ''
  } catch (error) {
    throw new Failure((error as Error).message)
  }
}

async function setAtWorker(name: string, key: string, io: Io): Promise<string> {
  const deployment = await readDeployment(io.project ?? PROJECT_ROOT).catch((error: Error) => {
    throw new Failure(error.message)
  })
  if (deployment === null)
    throw new Failure(`There is no deployment.json here. Where the Worker was deployed by hand: npx wrangler secret put ${name}`)
  const client = cloudflareClient(io.environment)
  const say = (line: string) => io.err(`${line}\n`)
  say('Giving it to the Worker …')
  await giveSecrets({ client, deployment, put: putSecretsBy(client, deployment), fetch: publicFetch(io.environment), say }, { [name]: key })
  return 'The Worker serves with it.'
}

/** A gateway that runs has read its settings at its start. */
async function setHere(name: string, key: string, { io, gateway }: Context): Promise<string> {
  await setDevVar(io.project ?? PROJECT_ROOT, name, key)
  const after = gateway === null ? '' : ' The gateway that runs goes on with the old one until it is started again.'
  return `It is in .dev.vars; a variable ${name} of the environment goes before it.${after}`
}
