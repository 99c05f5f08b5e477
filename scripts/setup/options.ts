// The command line of set-up.
import { parseArgs } from 'node:util'
import { rightsTable } from './rights.ts'
import { LOCATIONS, type Location } from './setup-context.ts'

export interface Options {
  account: string | undefined
  zone: string | undefined
  hostname: string | undefined
  boxHostname: string | undefined
  noDomain: boolean
  location: Location | undefined
  name: string | undefined
  yes: boolean
  dryRun: boolean
  undo: boolean
  withLedger: boolean
  help: boolean
}

/** An argument that cannot be used. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export const HELP = `Usage: npm run setup -- [options]

Sets up a gateway in your Cloudflare account: database, Access, tunnel, DNS, Worker. It asks before it makes anything, finds what is there, can be
stopped and run again, and undone.

  --account ID|NAME        which account, where the token reaches several
  --zone DOMAIN            which of its domains
  --no-domain              without one: workers.dev, and Workers VPC to the box
  --hostname HOST          where customers call (api.DOMAIN)
  --box-hostname HOST      the box's own, which only the gateway gets through to (ollama.DOMAIN)
  --location ${Object.keys(LOCATIONS).join('|')}
                           where the database is: near the box
  --name NAME              of all that is made (ollama-edge-gateway)
  --yes                    take the defaults for what is not given, and ask nothing
  --dry-run                show every call; write nothing
  --undo                   list what set-up made, ask, remove it
  --with-ledger            with --undo: the database, too, even where requests were billed
  --help                   show this

It reads CLOUDFLARE_API_TOKEN from the environment or .dev.vars. The token needs:
${rightsTable(null)}

Examples: npm run setup
          npm run setup -- --zone example.com --location weur --yes
          npm run setup -- --undo
`

/** Throws UsageError, which names the argument. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const options = {
    ...{ account: text, zone: text, hostname: text, 'box-hostname': text, location: text, name: text },
    ...{ 'no-domain': flag, yes: flag, 'dry-run': flag, undo: flag, 'with-ledger': flag, help: flag },
  }
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values']
  try {
    values = parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('.')[0]}. npm run setup -- --help shows all options.`)
  }
  const { location, name } = values
  if (location !== undefined && !(location in LOCATIONS))
    throw new UsageError(`--location ${location}: one of ${Object.keys(LOCATIONS).join(', ')} is needed.`)
  if (name !== undefined && !/^[a-z0-9](?:[a-z0-9-]{0,52}[a-z0-9])?$/.test(name)) {
    throw new UsageError(`--name ${name}: small letters, digits and dashes are needed, at most 54.`)
  }
  const noDomain = values['no-domain']
  for (const other of ['zone', 'hostname', 'box-hostname'] as const) {
    if (noDomain && values[other] !== undefined) throw new UsageError(`--${other} and --no-domain exclude each other.`)
  }
  return {
    ...{ account: values.account, zone: lower(values.zone), hostname: lower(values.hostname), boxHostname: lower(values['box-hostname']) },
    ...{ noDomain, location: location as Location | undefined, name },
    ...{ yes: values.yes, dryRun: values['dry-run'], undo: values.undo, withLedger: values['with-ledger'], help: values.help },
  }
}

function lower(text: string | undefined): string | undefined {
  return text?.trim().toLowerCase().replace(/\.$/, '')
}
