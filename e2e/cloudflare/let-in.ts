// Whom Access lets in, by what was made at the stand-in of its API.
import type { AccessToken } from '../../host/stand-in/access.ts'
import type { CloudflareState } from './state.ts'

interface Policy {
  decision: string
  include: { service_token?: { token_id: string } }[]
}

/** The service tokens that some policy of an application names, with their secrets and ends. */
export function letIn(state: CloudflareState, account: string): AccessToken[] {
  const policies = state.of<Policy & object>('access_policies', account)
  const used = [...state.of<{ policies: { id: string }[] }>('access_apps', account).values()].flatMap((app) => app.policies)
  const allowing = used.flatMap(({ id }) => policies.get(id) ?? []).filter(({ decision }) => decision === 'non_identity')
  const ids = new Set(allowing.flatMap(({ include }) => include.map(({ service_token: token }) => token?.token_id)))
  return [...state.of('access_service_tokens', account).values()].flatMap(({ id, client_id: clientId, expires_at: end }) => {
    const clientSecret = state.secretsOf(account).get(String(clientId))
    if (!ids.has(String(id)) || clientSecret === undefined) return []
    return [{ clientId: String(clientId), clientSecret, expiresMs: Date.parse(String(end)) }]
  })
}
