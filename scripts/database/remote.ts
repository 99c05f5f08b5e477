// The deployed database, through Cloudflare's REST API: parameters, and a token with rights on D1 and nothing else.
import { readDeployment } from '../cloudflare/deployment.ts'
import { PROJECT_ROOT, WRANGLER_TOML } from '../start/project.ts'
import { DatabaseError, type Transport } from './database.ts'
import { type Endpoint, postStatements } from './http.ts'
import { quietWrangler } from './wrangler.ts'

const API = 'https://api.cloudflare.com/client/v4'

/**
 * @param environment CLOUDFLARE_API_TOKEN; CLOUDFLARE_ACCOUNT_ID and D1_DATABASE_ID, unless set-up has noted them in deployment.json, or
 * wrangler.toml has the second
 * @param directory of deployment.json
 * Throws DatabaseError.
 */
export async function remoteTransport(environment: Record<string, string | undefined>, directory = PROJECT_ROOT): Promise<Transport> {
  const made = await readDeployment(directory).catch((error: Error) => {
    throw new DatabaseError(error.message)
  })
  const need = (name: string, remedy: string): string => {
    const value = environment[name]?.trim()
    if (!value) throw new DatabaseError(`--remote needs ${name}: ${remedy}`)
    if (!/^[\x21-\x7e]+$/.test(value)) throw new DatabaseError(`${name} has characters in it that cannot be: copy it again.`)
    return value
  }
  const account =
    environment.CLOUDFLARE_ACCOUNT_ID?.trim() ||
    made?.accountId ||
    need('CLOUDFLARE_ACCOUNT_ID', 'the account id, as the dashboard and `npx wrangler whoami` show it. npm run setup notes it.')
  const token = need(
    'CLOUDFLARE_API_TOKEN',
    'an API token with the permission Account > D1 > Edit, from dash.cloudflare.com/profile/api-tokens.',
  )
  const id =
    environment.D1_DATABASE_ID?.trim() ||
    made?.database?.id ||
    (await databaseIdInToml()) ||
    need('D1_DATABASE_ID', 'the id that `npx wrangler d1 list` shows.')
  const base = (environment.CLOUDFLARE_API_BASE_URL?.trim() || API).replace(/\/+$/, '')
  const endpoint: Endpoint = {
    url: `${base}/accounts/${encodeURIComponent(account)}/d1/database/${encodeURIComponent(id)}/raw`,
    token,
    who: 'Cloudflare',
    explain: explanation,
  }
  return {
    run: (statements) => postStatements(endpoint, statements),
    migrateHint: 'run `npm run deploy`, which migrates it.',
    close: async () => {},
  }
}

function explanation(status: number): string | null {
  if (status === 401 || status === 403) {
    return `Cloudflare refuses CLOUDFLARE_API_TOKEN (${status}): it needs the permission Account > D1 > Edit on the account CLOUDFLARE_ACCOUNT_ID.`
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
