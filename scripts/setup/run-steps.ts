// Goes through the steps: looks at all of them first, so that what is in the way is told before anything is made.
import { explain, HalfMade, Stopped } from './problem.ts'
import type { Setup, Step } from './setup-context.ts'
import { accessApplication } from './steps/access-application.ts'
import { accessPolicy } from './steps/access-policy.ts'
import { boxFile } from './steps/box-file.ts'
import { database } from './steps/database.ts'
import { dnsRecord } from './steps/dns-record.ts'
import { ingress } from './steps/ingress.ts'
import { vendorKeys } from './steps/own-secrets.ts'
import { accessSecret, serviceToken } from './steps/service-token.ts'
import { workersSubdomain } from './steps/subdomain.ts'
import { tunnel } from './steps/tunnel.ts'
import { vpcService } from './steps/vpc-service.ts'
import { type DeployWorker, workerStep } from './steps/worker.ts'
import { botFightMode, browserCheck } from './steps/zone-checks.ts'

/** All steps, in the order in which they are made. Access comes before DNS: the box's hostname is never open. */
export function stepsOf(setup: Setup, deploy: DeployWorker | null): Step[] {
  const all = [
    ...[workersSubdomain, database, serviceToken, accessSecret, accessPolicy, accessApplication],
    ...[tunnel, ingress, vpcService, dnsRecord, browserCheck, botFightMode],
    ...[vendorKeys, boxFile, workerStep(deploy)],
  ]
  return all.filter((step) => step.applies(setup.deployment))
}

/** How each is called that is there already. Nothing is made; throws SetupError where something is in the way. */
export async function findAll(setup: Setup, steps: readonly Step[]): Promise<Map<Step, string | null>> {
  const found = new Map<Step, string | null>()
  for (const step of steps) found.set(step, await explained(step, () => step.find(setup)))
  return found
}

/** Makes what is missing and tries each. `made` grows as it goes, so that it can be told where it stops. */
export async function makeAll(
  setup: Setup,
  steps: readonly Step[],
  found: Map<Step, string | null>,
  made: string[],
  signal: AbortSignal,
): Promise<void> {
  for (const [i, step] of steps.entries()) {
    if (signal.aborted) throw new Stopped()
    const place = `[${i + 1}/${steps.length}]`.padEnd(8)
    setup.say(`${place}${step.name}: ${step.why}`)
    const there = found.get(step) ?? null
    const what =
      there ??
      (await explained(step, () => step.make(setup)).catch((error) => {
        if (error instanceof HalfMade) made.push(`${step.name} (uploaded and live; it was not seen to answer yet)`)
        throw error
      }))
    await setup.save()
    if (there === null) made.push(step.name)
    setup.say(`${' '.repeat(8)}${there !== null ? '=' : setup.dryRun ? '(not made)' : '+'} ${what}`)
    if (!setup.dryRun) await explained(step, () => step.check(setup))
  }
}

export async function explained<T>(step: Step, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explain(error, step.rights)
  }
}
