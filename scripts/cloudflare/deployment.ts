// What set-up made at Cloudflare, as `deployment.json` keeps it beside wrangler.toml: names and ids, never a secret.
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const id = z.string().min(1)

/** An Access service token. Its secret is in the Worker's secrets alone. */
const serviceToken = z.strictObject({
  id,
  clientId: id,
  expiresAt: z.iso.datetime(),
  /** Since when the Worker was seen to be let in by it; only a rotation writes it. */
  servesSince: z.iso.datetime().optional(),
  /** Until when the older ones are kept beside it; a rotation after that takes them away. */
  olderUntil: z.iso.datetime().optional(),
})

/**
 * How the Worker reaches the box. `access`: by a public hostname that Cloudflare Access guards. `vpc`: by a Workers VPC service, which has no hostname.
 */
const hostLink = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('access'),
    hostname: id,
    dnsRecordId: id.optional(),
    teamName: id.optional(),
    applicationId: id.optional(),
    /** The application's audience, which the connector checks. */
    audience: id.optional(),
    policyId: id.optional(),
    /** The newest last. Two while they are rotated. */
    serviceTokens: z.array(serviceToken).default([]),
  }),
  z.strictObject({ kind: z.literal('vpc'), serviceId: id.optional() }),
])

/** Each part is there once its step is done, so that a second run goes on where the first one stopped. */
const deployment = z.strictObject({
  accountId: id,
  plan: z.enum(['free', 'paid']).optional(),
  /** The Worker's name. */
  worker: id,
  database: z.strictObject({ id, name: id }).optional(),
  /** Where customers call: a hostname in the owner's zone, or one below workers.dev. */
  public: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('domain'), hostname: id, zoneId: id, zoneName: id }),
    z.strictObject({ kind: z.literal('workers.dev'), hostname: id }),
  ]),
  /** What was done about the zone's checks of visitors that are no browsers; `off`: they were on, and set-up turned them off. */
  zoneChecks: z
    .strictObject({ browserCheck: z.enum(['off', 'kept']).optional(), botFightMode: z.enum(['off', 'kept']).optional() })
    .optional(),
  tunnel: z.strictObject({ id, name: id }).optional(),
  host: hostLink,
})

export type Deployment = z.infer<typeof deployment>

export const DEPLOYMENT_FILE = 'deployment.json'

/** What is kept in `directory`; null: nothing was set up from here. Throws an Error that names the file, the field and the remedy. */
export async function readDeployment(directory: string): Promise<Deployment | null> {
  const path = join(directory, DEPLOYMENT_FILE)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  const remedy = `Mend it, or move it away and run npm run setup again: it finds what is at Cloudflare.`
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error(`${DEPLOYMENT_FILE} is not JSON. ${remedy}`)
  }
  const result = deployment.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new Error(`${DEPLOYMENT_FILE}: ${issue?.path.join('.') || 'the file'}: ${issue?.message}. ${remedy}`)
}

/** Written whole or not at all. */
export async function writeDeployment(directory: string, value: Deployment): Promise<void> {
  const path = join(directory, DEPLOYMENT_FILE)
  const half = `${path}.${process.pid}`
  try {
    await writeFile(half, `${JSON.stringify(deployment.parse(value), null, 2)}\n`, { flag: 'wx' })
    await rename(half, path)
  } finally {
    await rm(half, { force: true })
  }
}

/** The box has a public hostname, behind Cloudflare Access. */
export function isAccess({ host }: Deployment): boolean {
  return host.kind === 'access'
}
