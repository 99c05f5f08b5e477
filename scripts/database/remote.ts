// The deployed database, through Cloudflare's REST API: parameters, and a token with rights on D1 and nothing else.
import { API_SETTING, apiAddress, isUnknownToken } from '../cloudflare/api-address.ts'
import { readDeployment } from '../cloudflare/deployment.ts'
import { TOKENS_PAGE } from '../setup/problem.ts'
import { PROJECT_ROOT, WRANGLER_TOML } from '../start/project.ts'
import { DatabaseError, type Transport } from './database.ts'
import { type Endpoint, postStatements } from './http.ts'
import { quietWrangler } from './wrangler.ts'

const RIGHT = 'Account > D1 > Edit'

const FIRST = 'run npm run setup first, which notes it; for a gateway that was deployed by hand, set'

/**
 * @param environment CLOUDFLARE_API_TOKEN; CLOUDFLARE_ACCOUNT_ID and D1_DATABASE_ID, unless set-up has noted them in deployment.json, or
 * wrangler.toml has the second
 * @param directory of deployment.json
 * Throws DatabaseError.
 */
export async function remoteTransport(environment: Record<string, string | undefined>, directory = PROJECT_ROOT): Promise<Transport> {
  const asDatabaseError = (error: Error): never => {
    throw new DatabaseError(error.message)
  }
  const made = await readDeployment(directory).catch(asDatabaseError)
  const need = (name: string, remedy: string): string => {
    const value = environment[name]?.trim()
    if (!value) throw new DatabaseError(`--remote needs ${name}: ${remedy}`)
    if (!/^[\x21-\x7e]+$/.test(value)) throw new DatabaseError(`${name} has characters in it that cannot be: copy it again.`)
    return value
  }
  const account =
    environment.CLOUDFLARE_ACCOUNT_ID?.trim() ||
    made?.accountId ||
    need('CLOUDFLARE_ACCOUNT_ID', `${FIRST} it to the account id, as the dashboard and \`npx wrangler whoami\` show it.`)
  const token = need(
    'CLOUDFLARE_API_TOKEN',
    `an API token with the permission ${RIGHT}, from ${TOKENS_PAGE}; that of npm run setup has it.`,
  )
  const id =
    environment.D1_DATABASE_ID?.trim() ||
    made?.database?.id ||
    (await databaseIdInToml()) ||
    need('D1_DATABASE_ID', `${FIRST} it to the id that \`npx wrangler d1 list\` shows.`)
  const base = await Promise.resolve(environment).then(apiAddress).catch(asDatabaseError)
  const endpoint: Endpoint = {
    url: `${base}/accounts/${encodeURIComponent(account)}/d1/database/${encodeURIComponent(id)}/raw`,
    token,
    who: 'Cloudflare',
    setting: API_SETTING,
    explain: explanation,
  }
  return {
    run: (statements) => postStatements(endpoint, statements),
    migrateHint: 'run `npm run deploy`, which migrates it.',
    close: async () => {},
  }
}

function explanation(status: number, said: string): string | null {
  if (isUnknownToken(said)) {
    return `Cloudflare does not know this API token: was all of it copied? Make one at ${TOKENS_PAGE} with the permission ${RIGHT}, and set CLOUDFLARE_API_TOKEN to it.`
  }
  if (status === 401 || status === 403) {
    return `Cloudflare refuses CLOUDFLARE_API_TOKEN (${status}): it does not know it, or it lacks the permission ${RIGHT} on the account CLOUDFLARE_ACCOUNT_ID.`
  }
  if (status === 404) return 'Cloudflare knows no such database (404): check D1_DATABASE_ID and CLOUDFLARE_ACCOUNT_ID.'
  if (status === 429) return 'Cloudflare has had too many calls (429): wait a moment and try again.'
  return null
}

async function databaseIdInToml(): Promise<string | undefined> {
  const { unstable_readConfig } = await quietWrangler()
  const { d1_databases } = unstable_readConfig({ config: WRANGLER_TOML }) as { d1_databases: { binding: string; database_id?: string }[] }
  return d1_databases.find(({ binding }) => binding === 'DB')?.database_id
}
