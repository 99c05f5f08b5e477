// The service tokens and the policy of the box at Cloudflare, as a rotation changes them.
import Cloudflare from 'cloudflare'
import { Failure } from '../admin/context.ts'
import { isRotatedToken, rotatedTokenName } from '../cloudflare/service-token-names.ts'
import { refused } from '../deploy/running.ts'
import type { AccessLink, AccessRotation } from './access-token.ts'

export type Token = AccessLink['serviceTokens'][number]

/** A year. */
const DURATION = '8760h'
const YEAR_MS = 8760 * 3_600_000
export const TOKENS = 'Account > Access: Service Tokens > Edit'
export const POLICIES = 'Account > Access: Apps and Policies > Edit'

type Rule = { service_token?: { token_id: string } }
type Policy = { name: string; decision: 'non_identity'; include: Rule[] }

export class AccessAtCloudflare {
  readonly #rotation: AccessRotation
  readonly #scope: { account_id: string }

  constructor(rotation: AccessRotation) {
    this.#rotation = rotation
    this.#scope = { account_id: rotation.deployment.accountId }
  }

  /** Cloudflare shows the secret this once; nobody is let in by it yet. Throws Failure. */
  async make(nowMs: number): Promise<{ token: Token; secret: string }> {
    const name = rotatedTokenName(this.#rotation.deployment.worker, nowMs)
    const made = await asked(TOKENS, this.#tokens.create({ ...this.#scope, name, duration: DURATION }))
    const { id = '', client_id: clientId = '', client_secret: secret = '' } = made
    const expiresAt = (made as { expires_at?: string }).expires_at ?? new Date(nowMs + YEAR_MS).toISOString()
    return { token: { id, clientId, expiresAt: new Date(expiresAt).toISOString() }, secret }
  }

  /** Throws Failure. */
  async letIn({ id }: Token): Promise<void> {
    await this.#changePolicy((include) => [...include, { service_token: { token_id: id } }])
  }

  /** Takes away the others that deployment.json knows, and those that a stopped rotation made and did not note. Returns how many. Throws Failure. */
  async keepOnly(token: Token): Promise<number> {
    const { deployment, save, say } = this.#rotation
    const older = [...deployment.host.serviceTokens.filter(({ id }) => id !== token.id).map(({ id }) => id), ...(await this.#unnoted())]
    if (older.length > 0) say(`Taking ${older.length === 1 ? 'the older token' : `${older.length} older tokens`} away …`)
    const isOlder = ({ service_token: rule }: Rule) => rule !== undefined && older.includes(rule.token_id)
    await this.#changePolicy((include) => include.filter((rule) => !isOlder(rule)))
    for (const id of older) {
      await asked(TOKENS, this.#tokens.delete(id, this.#scope), { gone: true })
      deployment.host.serviceTokens = deployment.host.serviceTokens.filter((one) => one.id !== id)
      await save()
    }
    return older.length
  }

  get #tokens() {
    return this.#rotation.client.zeroTrust.access.serviceTokens
  }

  async #unnoted(): Promise<string[]> {
    const { worker, host } = this.#rotation.deployment
    const noted = new Set(host.serviceTokens.map(({ id }) => id))
    const found: string[] = []
    const list = async () => {
      for await (const { id, name } of this.#tokens.list(this.#scope)) {
        if (id && isRotatedToken(worker, name) && !noted.has(id)) found.push(id)
      }
    }
    await asked(TOKENS, list())
    return found
  }

  /** Everything else in it stays as it is. */
  async #changePolicy(change: (include: Rule[]) => Rule[]): Promise<void> {
    const { client, deployment } = this.#rotation
    const { policyId } = deployment.host
    if (policyId === undefined) throw new Failure('deployment.json names no Access policy: run npm run setup, which makes it.')
    const { policies } = client.zeroTrust.access
    const found = await asked(POLICIES, policies.get(policyId, this.#scope))
    if (found === null) throw new Failure('The Access policy of the box is gone: run npm run setup, which makes it again.')
    const { name, decision, include, exclude, require } = found as unknown as Policy & { exclude: []; require: [] }
    const changed = change(include)
    if (changed.length === include.length && changed.every((rule, index) => rule === include[index])) return
    await asked(POLICIES, policies.update(policyId, { ...this.#scope, name, decision, include: changed as never, exclude, require }))
  }
}

/** Throws Failure. With `gone`, what is not there is as good as removed. */
async function asked<T>(right: string, call: PromiseLike<T>, { gone = false } = {}): Promise<T> {
  try {
    return await call
  } catch (error) {
    if (gone && error instanceof Cloudflare.NotFoundError) return null as T
    throw refused(error, right)
  }
}
