// Ollama itself, asked from this machine: whether it answers, how old it is, and what is on it.
import { HOST_TROUBLES, isTooOld } from '../../worker/host-trouble.ts'
import { type Access, listModels, type Probe, probeOllama } from '../start/ollama.ts'
import { bad, type Finding, ok, warning } from './finding.ts'

export interface HostAsked {
  finding: Finding
  /** Canonical names; or why nobody knows. */
  models: readonly string[] | { why: string }
}

/** @param usesStandIn the gateway that runs here replays recorded answers */
export async function askOllama(url: string, access: Access, usesStandIn: boolean): Promise<HostAsked> {
  const probe = await probeOllama(url, access)
  const finding = judgeOllama(probe, url, usesStandIn)
  if (!probe.answers) return { finding, models: { why: 'Ollama does not answer' } }
  const models = await listModels(url, access).catch((error: Error) => ({ why: error.message }))
  return { finding, models: 'why' in models ? models : models.map(({ name }) => name) }
}

export function judgeOllama(probe: Probe, url: string, usesStandIn: boolean): Finding {
  if (!probe.answers) {
    const remedy = 'Start it (ollama serve), or set OLLAMA_BASE_URL to where it answers.'
    return usesStandIn
      ? warning(`${probe.why}; the gateway replays recorded answers in its place`, `${remedy} Then start the gateway again.`)
      : bad(probe.why, remedy)
  }
  if (isTooOld(probe.version)) return warning(`${url}, version ${probe.version}`, HOST_TROUBLES.version)
  return ok(`${url}, version ${probe.version}`)
}
