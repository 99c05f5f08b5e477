// One run: so many callers against one subject, and what its process used meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from './caller.ts'
import { type Chat, chatBody } from './chat-body.ts'
import type { Stage } from './stage.ts'
import type { Subject } from './subjects.ts'

export interface Load extends Chat {
  inFlight: number
  requests: number
  /** No request begins later than this. */
  runMs: number
  untimedMs?: number
}

export interface Run extends Outcome {
  /** Of the subject's process. */
  cpuMs: number
}

/** What follows an answer, its settlement, is part of its cost. */
const AFTERWARDS_MS = 50

/** @param what for the progress, and for a failure's report */
export async function runLoad(stage: Stage, subject: Subject, what: string, load: Load): Promise<Run> {
  stage.progress.say(what)
  const { origin, path, headers } = subject
  const { inFlight, requests, runMs, untimedMs = 0 } = load
  const body = chatBody(subject.model, load)
  const before = subject.cost()
  const outcome = await stage.callers.run({ origin, path, headers, body, inFlight, requests, timeMs: runMs, untimedMs })
  await sleep(AFTERWARDS_MS)
  if (outcome.failed > 0) stage.failures.push({ what, count: outcome.failed, first: outcome.failure ?? '' })
  return { ...outcome, cpuMs: subject.cost().cpuMs - before.cpuMs }
}
