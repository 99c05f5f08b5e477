// Makes the checks one after the other; what cannot be made because of an earlier one is said to be skipped.
import { bad, type Check, type Finding, skipped } from './finding.ts'

export interface Result extends Finding {
  check: string
  title: string
}

export interface Listener {
  /** A check begins. */
  onStart(title: string): void
  onResult(result: Result): void
}

/** Throws nothing: a check that does is an error itself. */
export async function runChecks<World>(checks: readonly Check<World>[], world: World, { onStart, onResult }: Listener): Promise<Result[]> {
  const results: Result[] = []
  /** By the name of a check that blocks: the title of the one that is the reason. */
  const blocked = new Map<string, string>()
  for (const check of checks) {
    const reason = (check.needs ?? []).map((name) => blocked.get(name)).find((title) => title !== undefined)
    if (reason === undefined) onStart(check.title)
    const findings = reason === undefined ? await made(check, world) : [skipped(reason)]
    if (findings.some(({ blocks }) => blocks)) blocked.set(check.name, reason ?? check.title)
    for (const finding of findings) {
      const result = { check: check.name, title: check.title, ...finding }
      results.push(result)
      onResult(result)
    }
  }
  return results
}

async function made<World>(check: Check<World>, world: World): Promise<readonly Finding[]> {
  try {
    return [await check.run(world)].flat()
  } catch (error) {
    return [bad(`could not be looked at: ${(error as Error).message}`, 'Run npm run doctor again; if it stays, this is a bug of ours.')]
  }
}
