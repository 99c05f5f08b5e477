// Section start: from the start of workerd to the first answer.
import { GATEWAY, PASS_THROUGH } from './cast.ts'
import { interleave } from './rounds.ts'
import type { Stage } from './stage.ts'
import { median } from './statistics.ts'
import { openGateway, startPassThrough } from './subjects.ts'
import { watchWorkerd } from './watch-workerd.ts'

export interface StartRow {
  subject: string
  ms: number
}

export async function measureStart(stage: Stage): Promise<StartRow[]> {
  const results = await interleave([PASS_THROUGH, GATEWAY] as const, stage.effort.starts, async (name, round) => {
    stage.progress.say(`start, ${round}: ${name}`)
    const workerd = watchWorkerd()
    const { origin, close } = await open(stage, name)
    try {
      const answer = await fetch(`${origin}/api/version`)
      await answer.text()
      if (!answer.ok) throw new Error(`start: ${name} answered ${answer.status}`)
      return performance.now() - workerd.startedMs()
    } finally {
      await close()
    }
  })
  return results.map(({ subject, runs }) => ({ subject, ms: median(runs) }))
}

async function open(stage: Stage, name: typeof PASS_THROUGH | typeof GATEWAY): Promise<{ origin: string; close(): Promise<void> }> {
  const dir = await stage.directory()
  if (name === PASS_THROUGH) return startPassThrough(name, stage.host.origin, dir, false)
  const runtime = await openGateway(name, stage.bundle, stage.host.origin, dir, {})
  return { origin: `http://127.0.0.1:${runtime.port}`, close: () => runtime.dispose() }
}
