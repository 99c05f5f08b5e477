// Which secrets the deployed Worker has; what they are nobody is told.
import { isMissing } from '../problem.ts'
import type { Setup } from '../setup-context.ts'

/** The names; none where there is no Worker. */
export async function workerSecrets({ client, deployment }: Setup): Promise<Set<string>> {
  const { accountId: account_id, worker } = deployment
  const names = new Set<string>()
  try {
    for await (const { name } of client.workers.scripts.secrets.list(worker, { account_id })) names.add(name)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return names
}
