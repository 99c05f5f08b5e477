// Which Ollama the gateway uses: the one that answers, or the stand-in that replays recorded answers.
import * as z from 'zod'
import { type StandIn, startStandIn } from '../../host/stand-in/server.ts'
import { canonicalModel, isCloudModel } from '../../worker/model-name.ts'

const PROBE_TIMEOUT_MS = 1500

export type Access = { clientId: string; clientSecret: string } | null

export interface Ollama {
  url: string
  /** What to tell of it: which one, and why. */
  about: string
  standIn: StandIn | null
}

export interface Model {
  /** Canonical. */
  name: string
  chat: boolean
}

/** The Ollama at `url` if it answers and `standIn` does not force otherwise, else a new stand-in. */
export async function findOllama({ url, access, standIn }: { url: string; access: Access; standIn: boolean }): Promise<Ollama> {
  const probe = standIn ? null : await probeOllama(url, access)
  if (probe?.answers) return { url, about: `${url}, version ${probe.version}`, standIn: null }
  const started = await startStandIn({ port: 0, pace: 'recorded' })
  return {
    url: started.url,
    about: `the stand-in, which replays recorded answers (${probe === null ? 'STAND_IN=1' : probe.why})`,
    standIn: started,
  }
}

export type Probe = { answers: true; version: string } | { answers: false; why: string }

/** Asks for the version, which every Ollama tells; `why` says what came instead. */
export async function probeOllama(url: string, access: Access, timeoutMs = PROBE_TIMEOUT_MS): Promise<Probe> {
  const silent = (why: string): Probe => ({ answers: false, why: `${url} ${why}` })
  try {
    const response = await get(url, '/api/version', access, timeoutMs)
    const page = (response.headers.get('content-type') ?? '').startsWith('text/html')
    if ((response.status >= 300 && response.status < 400) || ([401, 403].includes(response.status) && page)) {
      return silent('is behind Cloudflare Access, which does not let us in: check CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET')
    }
    const body = z.object({ version: z.string() }).safeParse(await response.json().catch(() => null))
    return body.success ? { answers: true, version: body.data.version } : silent(`answers ${response.status}, but not as Ollama does`)
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return silent(`does not answer within ${timeoutMs / 1000} s`)
    const cause = ((error as Error).cause ?? error) as NodeJS.ErrnoException
    return silent(cause.code === 'ECONNREFUSED' ? 'refuses the connection' : `cannot be reached: ${cause.code ?? cause.message}`)
  }
}

const tags = z.object({
  models: z.array(z.object({ name: z.string(), capabilities: z.array(z.string()).optional(), remote_host: z.string().optional() })),
})

/** The models on the host, those apart that run on the account of its owner at ollama.com. Throws where the host does not tell. */
export async function listModels(url: string, access: Access): Promise<Model[]> {
  const { models } = tags.parse(await (await get(url, '/api/tags', access, 5000)).json())
  return models.flatMap(({ name, capabilities, remote_host }) => {
    const canonical = canonicalModel(name)
    if (canonical === null || isCloudModel(canonical) || remote_host !== undefined) return []
    return [{ name: canonical, chat: capabilities?.includes('completion') !== false && !/embed|minilm|\bbge\b/.test(canonical) }]
  })
}

function get(url: string, path: string, access: Access, timeoutMs: number): Promise<Response> {
  const headers: Record<string, string> =
    access === null ? {} : { 'CF-Access-Client-Id': access.clientId, 'CF-Access-Client-Secret': access.clientSecret }
  return fetch(`${url}${path}`, { headers, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
}
