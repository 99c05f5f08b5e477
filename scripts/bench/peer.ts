// Another gateway in the same table: whatever speaks OpenAI's chat route, and forwards to the bench's host.
import { setTimeout as sleep } from 'node:timers/promises'
import { chatBody } from './chat-body.ts'
import type { PeerOptions } from './options.ts'
import { costOfAll } from './process-cost.ts'
import { CHAT, type Subject } from './subjects.ts'

const WAIT_MS = 60_000
/** What the host says and no other would. */
const HOSTS_WORDS = 'The box hums warm'

/** Throws where one of its processes is not there. */
export function peerSubject({ base, headers, model, pids }: PeerOptions): Subject {
  const { origin, pathname } = new URL(base)
  const gone = pids.find((pid) => Number.isNaN(costOfAll([pid]).cpuMs))
  if (gone !== undefined) throw new Error(`--pid ${gone}: there is no such process, or no /proc on this system.`)
  return {
    name: 'peer',
    origin,
    path: `${pathname === '/' ? '' : pathname}${CHAT}`,
    headers,
    model,
    cost: () => costOfAll(pids),
    close: async () => {},
  }
}

/** Waits until it answers with the host's words. Throws what it said instead. */
export async function awaitPeer(peer: Subject, hostOrigin: string, waitMs = WAIT_MS): Promise<void> {
  const deadlineMs = performance.now() + waitMs
  for (;;) {
    const said = await firstAnswer(peer)
    if (said === null) return
    if (performance.now() > deadlineMs) {
      throw new Error(
        `--against: ${peer.origin}${peer.path} ${said}\nIt has to forward the model "${peer.model}" to the bench's host at ${hostOrigin}${CHAT} (--host-port fixes the port), and to take the headers that --header gives.`,
      )
    }
    await sleep(1000)
  }
}

/** Null where all is well. */
async function firstAnswer(peer: Subject): Promise<string | null> {
  try {
    const body = chatBody(peer.model, { streaming: false, tokens: 4 })
    const headers = { 'content-type': 'application/json', ...peer.headers }
    const answer = await fetch(peer.origin + peer.path, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) })
    const text = await answer.text()
    if (!answer.ok) return `answered ${answer.status}: ${text.slice(0, 300)}`
    return text.includes(HOSTS_WORDS) ? null : `answered, but not with the words of the bench's host: ${text.slice(0, 300)}`
  } catch (error) {
    return `cannot be reached: ${error instanceof Error ? String(error.cause ?? error.message) : error}`
  }
}
