// Who is measured in a section: started for it, so that no section inherits another's heap or database, and ended after it.
import type { Stage } from './stage.ts'
import { type GatewaySubject, type Subject, startGatewaySubject, startPassThrough } from './subjects.ts'

export const DIRECT = 'direct'
export const PASS_THROUGH = 'pass-through'
export const FLOOR = 'floor'
export const UNGROUPED = 'gateway, ungrouped'
export const GATEWAY = 'gateway'
export const PEER = 'peer'
export type Name = typeof PASS_THROUGH | typeof FLOOR | typeof UNGROUPED | typeof GATEWAY | typeof PEER

/** Starts those that are named, runs `measure`, and ends them. The peer is there only if one was given. */
export async function withSubjects<T>(stage: Stage, names: readonly Name[], measure: (subjects: Subject[]) => Promise<T>): Promise<T> {
  const subjects: Subject[] = []
  try {
    for (const name of names) {
      const subject = name === PEER ? stage.peer : await start(stage, name)
      if (subject !== null) subjects.push(subject)
    }
    return await measure(subjects)
  } finally {
    for (const subject of subjects) await subject.close()
  }
}

/** A gateway of the section's own, whose database it can reach into. */
export async function startGateway(stage: Stage, name: string, vars: Record<string, string> = {}): Promise<GatewaySubject> {
  stage.progress.say(`starting ${name}`)
  return startGatewaySubject(name, stage.bundle, stage.host.origin, await stage.directory(), vars)
}

async function start(stage: Stage, name: Exclude<Name, typeof PEER>): Promise<Subject> {
  if (name === UNGROUPED) return startGateway(stage, name, { LEDGER_GROUP_MAX: '1' })
  if (name === GATEWAY) return startGateway(stage, name)
  stage.progress.say(`starting ${name}`)
  return startPassThrough(name, stage.host.origin, await stage.directory(), name === FLOOR)
}
