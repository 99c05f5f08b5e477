// rotate-access: a second service token is made, let in, tried and given to the Worker; the first goes when the second is seen to serve.
//
// It can be stopped anywhere. What was made is noted at once in deployment.json; only what is noted as serving makes an older token go. A run that
// finds one which was never seen to serve makes another: the secret of the first is lost, or the Worker may have it already.
import type { Deployment } from '../cloudflare/deployment.ts'
import { AccessAtCloudflare, type Token } from './access-at-cloudflare.ts'
import { tryHost, tryThroughGateway } from './try-access.ts'
import { giveSecrets, type WorkerToChange } from './worker-secrets.ts'

export interface AccessRotation extends WorkerToChange {
  deployment: Deployment & { host: AccessLink }
  /** Keeps `deployment` as it is now. */
  save(): Promise<void>
  sleep(ms: number): Promise<void>
  nowMs(): number
  /** How long the older token goes on working once the newer one serves; null: nobody has said, so not, or as an earlier run was told. */
  keepMs: number | null
}

export type AccessLink = Extract<Deployment['host'], { kind: 'access' }>

export interface Rotated {
  /** The one that serves now. */
  token: Token
  /** Whether this run has made it. */
  made: boolean
  /** How many older ones this run has taken away. */
  removed: number
  /** When the older one may go; null: it is gone. */
  keptUntil: string | null
}

/** Places of the edge that nobody here can see may serve the version before for so long. */
const GRACE_MS = 30_000

/** Throws Failure with what is wrong and what is there now. */
export async function rotateAccess(rotation: AccessRotation): Promise<Rotated> {
  const { deployment, save, say, sleep, nowMs, keepMs } = rotation
  const { host } = deployment
  const access = new AccessAtCloudflare(rotation)
  const left = host.serviceTokens.length > 1 && host.serviceTokens.at(-1)?.servesSince !== undefined
  if (left) say('An earlier rotation was not finished: going on with that one.')
  else await makeAndGive(rotation, access)
  const token = host.serviceTokens.at(-1) as Token
  const servesSinceMs = Date.parse(token.servesSince as string)
  if (keepMs !== null) token.olderUntil = new Date(servesSinceMs + keepMs).toISOString()
  await save()
  if (token.olderUntil !== undefined && nowMs() < Date.parse(token.olderUntil)) {
    return { token, made: !left, removed: 0, keptUntil: token.olderUntil }
  }
  const waitMs = servesSinceMs + GRACE_MS - nowMs()
  if (waitMs > 0) {
    say(`Waiting ${Math.ceil(waitMs / 1000)} s for the last places of Cloudflare's edge …`)
    await sleep(waitMs)
  }
  const removed = await access.keepOnly(token)
  delete token.olderUntil
  await save()
  return { token, made: !left, removed, keptUntil: null }
}

async function makeAndGive(rotation: AccessRotation, access: AccessAtCloudflare): Promise<void> {
  const { deployment, say, save, nowMs } = rotation
  const { host } = deployment
  say('Making a second service token …')
  const { token, secret } = await access.make(nowMs())
  host.serviceTokens.push(token)
  await save()
  say('Letting it in, beside the first …')
  await access.letIn(token)
  say(`Trying it at https://${host.hostname} …`)
  await tryHost(rotation, host.hostname, { clientId: token.clientId, clientSecret: secret })
  say('Giving it to the Worker …')
  await giveSecrets(rotation, { CF_ACCESS_CLIENT_ID: token.clientId, CF_ACCESS_CLIENT_SECRET: secret })
  await tryThroughGateway(rotation, deployment.public.hostname)
  token.servesSince = new Date(nowMs()).toISOString()
  await save()
}
