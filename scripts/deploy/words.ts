// What a deploy tells at its end, and what one would do.
import type { Output } from '../admin/context.ts'
import type { BackupTaken } from './backup.ts'
import type { Deployed, DeployOptions } from './deploy-worker.ts'
import { PLANS } from './plans.ts'
import type { Prepared } from './prepare.ts'

export function wordDeployed(deployed: Deployed, backup: BackupTaken | null): Output {
  const { url, release, versionId, previousVersionId, plan, migrations, box } = deployed
  const text = [
    `${release} serves at ${url} (version ${versionId}).`,
    ...(previousVersionId === null ? [] : [`Before it: ${previousVersionId}.`]),
    box.remedy === null ? 'It reaches the box.' : `! The box: ${box.remedy}`,
    ...(backup === null ? [] : [`Backup of before: ${backup.file}`]),
    '',
    'Try it:',
    `  ${curlLine(url)}`,
  ].join('\n')
  const json = {
    url,
    release,
    version_id: versionId,
    previous_version_id: previousVersionId,
    plan,
    migrations,
    box: box.state,
    backup: backup?.file ?? null,
  }
  return { json, text }
}

/** The key is the shell's: none is in a command line's history. */
function curlLine(url: string): string {
  return `curl ${url}/v1/models -H "authorization: Bearer $GATEWAY_KEY"`
}

export function wordDryRun(kind: string, { configuration, running, pending, checkout, before }: Prepared, options: DeployOptions): Output {
  const { plan, deployment, secrets = {} } = options
  const { vars, limits } = configuration
  const names = pending.map(({ name }) => name)
  const settings = PLANS[plan].settings.map(({ name, value, why }) =>
    vars[name] === value ? `    ${name}=${value}: ${why}` : `    ${name}=${vars[name]}: wrangler.toml says so; the plan's is ${value}.`,
  )
  const others = Object.entries(vars).filter(([name]) => !PLANS[plan].settings.some((one) => one.name === name))
  const steps = [
    ...(kind === 'upgrade' ? ['back up the deployed database'] : []),
    names.length === 0 ? 'apply no migration' : `apply ${names.join(', ')}`,
    `upload ${checkout.words} as ${deployment.worker}`,
    `wait until https://${deployment.public.hostname}/health tells of it`,
    running === null
      ? 'stay, whatever happens: there is no version before it'
      : `go back to ${running.release || running.id} where that fails`,
  ]
  const text = [
    `Nothing was changed. ${kind} would`,
    ...steps.map((step) => `  ${step}`),
    `Plan ${plan}: ${PLANS[plan].cpuWhy}`,
    ...settings,
    'Settings:',
    ...others.map(([name, value]) => `    ${name}=${value}`),
    Object.keys(secrets).length === 0 ? 'Secrets stay as they are.' : `Secrets to set: ${Object.keys(secrets).join(', ')}`,
  ].join('\n')
  const json = {
    ...{ dry_run: true, plan, limits: limits ?? {}, vars, migrations: names, release: checkout.release },
    ...{ running: running === null ? null : { version_id: running.id, release: running.release } },
    ...{ ledger_findings: before?.findings ?? null, secrets: Object.keys(secrets) },
  }
  return { json, text }
}
