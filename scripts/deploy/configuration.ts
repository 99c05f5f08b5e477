// The configuration that wrangler uploads by: wrangler.toml's, with what set-up made and what the plan allows.
import { join } from 'node:path'
import { configOf } from '../../worker/config.ts'
import { Failure } from '../admin/context.ts'
import type { Deployment } from '../cloudflare/deployment.ts'
import { quietWrangler } from '../database/wrangler.ts'
import { PROJECT_ROOT, WRANGLER_TOML } from '../start/project.ts'
import { PLANS, type Plan, planVars } from './plans.ts'

/** A wrangler configuration, as far as it is looked at here; what wrangler.toml has beside that is kept. */
export interface WorkerConfiguration {
  name: string
  vars: Record<string, string>
  d1_databases: { binding: string; [field: string]: unknown }[]
  [field: string]: unknown
}

/** Throws Failure where the database is missing, or a setting cannot be used; the message names it. */
export async function workerConfiguration(deployment: Deployment, plan: Plan): Promise<WorkerConfiguration> {
  const { database } = deployment
  if (database === undefined) throw new Failure('deployment.json names no database: run npm run setup, which makes it.')
  const toml = await readToml()
  const { cpuMs } = PLANS[plan]
  const configuration = {
    ...toml,
    name: deployment.worker,
    account_id: deployment.accountId,
    main: join(PROJECT_ROOT, toml.main as string),
    vars: { ...planVars(plan), ...hostVars(deployment), ...toml.vars },
    d1_databases: toml.d1_databases.map((one) =>
      one.binding === 'DB'
        ? {
            ...one,
            database_id: database.id,
            database_name: database.name,
            migrations_dir: join(PROJECT_ROOT, one.migrations_dir as string),
          }
        : one,
    ),
    // undefined: Cloudflare refuses any limit on the free plan.
    limits: cpuMs === null ? undefined : { cpu_ms: cpuMs, ...(toml.limits as object | undefined) },
    ...publicAddress(deployment, toml),
    ...vpcService(deployment, toml),
  }
  checkVars(configuration.vars)
  return configuration
}

async function readToml(): Promise<WorkerConfiguration> {
  const { experimental_readRawConfig } = await quietWrangler()
  const { rawConfig } = experimental_readRawConfig({ config: WRANGLER_TOML })
  return { vars: {}, d1_databases: [], ...rawConfig } as unknown as WorkerConfiguration
}

/** A hostname of the owner's as a Custom Domain: unlike a Route it leaves no way to older versions. Without one, workers.dev. */
function publicAddress({ public: address }: Deployment, toml: WorkerConfiguration): object {
  if (address.kind === 'workers.dev') return { workers_dev: true, preview_urls: false }
  const domain = { pattern: address.hostname, zone_id: address.zoneId, custom_domain: true }
  return { workers_dev: false, preview_urls: false, routes: [...((toml.routes as object[] | undefined) ?? []), domain] }
}

function vpcService({ host }: Deployment, toml: WorkerConfiguration): object {
  if (host.kind !== 'vpc') return {}
  if (host.serviceId === undefined) throw new Failure('deployment.json names no VPC service of the box: run npm run setup, which makes it.')
  const others = ((toml.vpc_services as { binding: string }[] | undefined) ?? []).filter(({ binding }) => binding !== 'OLLAMA')
  return { vpc_services: [...others, { binding: 'OLLAMA', service_id: host.serviceId }] }
}

/** Where the box is, and until when its Access token is good. */
function hostVars({ host }: Deployment): Record<string, string> {
  if (host.kind === 'vpc') return {}
  const newest = host.serviceTokens.at(-1)
  return {
    OLLAMA_BASE_URL: `https://${host.hostname}`,
    ...(newest === undefined ? {} : { CF_ACCESS_TOKEN_EXPIRES: newest.expiresAt.slice(0, 10) }),
  }
}

/** The Worker's own reading of its settings, so that a wrong one is told now and not by the first request. */
function checkVars(vars: Record<string, string>): void {
  try {
    configOf({ ...vars })
  } catch (error) {
    throw new Failure(`wrangler.toml [vars]: ${(error as Error).message}`)
  }
}
