// Which recorded answer shows what: the catalogue from which an inference call's answer is picked.
import type { InferencePath } from './wires.ts'

export type Feature = 'tools' | 'toolResult' | 'think' | 'format' | 'logprobs' | 'long' | 'stop' | 'usage' | 'raw' | 'context' | 'system'

interface Entry {
  name: string
  shows: readonly Feature[]
}

const WEIGHT: Record<Feature, number> = {
  tools: 4,
  toolResult: 4,
  think: 3,
  format: 2,
  logprobs: 2,
  long: 2,
  stop: 1,
  raw: 1,
  context: 1,
  system: 1,
  usage: 0.5,
}

type Kind = 'streamed' | 'whole'

const CATALOGUE: Record<InferencePath, Record<Kind, readonly [Entry, ...Entry[]]>> = {
  '/api/chat': {
    streamed: [
      { name: 'api-chat.stream', shows: [] },
      { name: 'api-chat.long.stream', shows: ['long'] },
      { name: 'api-chat.tools.stream', shows: ['tools'] },
      { name: 'api-chat.tool-result.stream', shows: ['toolResult'] },
      { name: 'api-chat.think-supported.stream', shows: ['think'] },
      { name: 'api-chat.think-and-format.stream', shows: ['think', 'format'] },
      { name: 'api-chat.format-json.stream', shows: ['format'] },
      { name: 'api-chat.logprobs.stream', shows: ['logprobs'] },
      { name: 'api-chat.stop.stream', shows: ['stop'] },
    ],
    whole: [
      { name: 'api-chat.nostream', shows: [] },
      { name: 'api-chat.tools.nostream', shows: ['tools'] },
      { name: 'api-chat.think-supported.nostream', shows: ['think'] },
      { name: 'api-chat.format-schema.nostream', shows: ['format'] },
    ],
  },
  '/api/generate': {
    streamed: [
      { name: 'api-generate.stream', shows: [] },
      { name: 'api-generate.raw.stream', shows: ['raw'] },
    ],
    whole: [
      { name: 'api-generate.nostream', shows: [] },
      { name: 'api-generate.context.nostream', shows: ['context'] },
      { name: 'api-generate.system.nostream', shows: ['system'] },
    ],
  },
  '/v1/chat/completions': {
    streamed: [
      { name: 'v1-chat.stream', shows: [] },
      { name: 'v1-chat.stream.usage', shows: ['usage'] },
      { name: 'v1-chat.tools.stream.usage', shows: ['tools', 'usage'] },
      { name: 'v1-chat.reasoning.stream.usage', shows: ['think', 'usage'] },
      { name: 'v1-chat.logprobs.stream', shows: ['logprobs'] },
      { name: 'v1-chat.system.stream.usage', shows: ['stop', 'usage'] },
    ],
    whole: [
      { name: 'v1-chat.nostream', shows: [] },
      { name: 'v1-chat.tools.nostream', shows: ['tools'] },
      { name: 'v1-chat.reasoning.nostream', shows: ['think'] },
      { name: 'v1-chat.logprobs.nostream', shows: ['logprobs'] },
      { name: 'v1-chat.json-schema.nostream', shows: ['format'] },
    ],
  },
  '/v1/completions': {
    streamed: [
      { name: 'v1-completions.stream', shows: [] },
      { name: 'v1-completions.stream.usage', shows: ['usage'] },
    ],
    whole: [{ name: 'v1-completions.nostream', shows: [] }],
  },
  '/v1/messages': {
    streamed: [
      { name: 'v1-messages.stream', shows: [] },
      { name: 'v1-messages.tools.stream', shows: ['tools'] },
      { name: 'v1-messages.thinking.stream', shows: ['think'] },
      { name: 'v1-messages.system.stream', shows: ['stop'] },
    ],
    whole: [
      { name: 'v1-messages.nostream', shows: [] },
      { name: 'v1-messages.tools.nostream', shows: ['tools'] },
    ],
  },
  '/v1/responses': {
    streamed: [
      { name: 'v1-responses.stream', shows: [] },
      { name: 'v1-responses.tools.stream', shows: ['tools'] },
      { name: 'v1-responses.reasoning.stream', shows: ['think'] },
      { name: 'v1-responses.items.stream', shows: ['format'] },
    ],
    whole: [
      { name: 'v1-responses.nostream', shows: [] },
      { name: 'v1-responses.tools.nostream', shows: ['tools'] },
    ],
  },
}

/**
 * The capture that shows most of what is wanted and nothing that is not; `fit` grows with what it shows.
 * Usage may be shown unasked: it is taken out afterwards.
 */
export function best(path: InferencePath, kind: Kind, wanted: ReadonlySet<Feature>): { name: string; fit: number } {
  const [plain, ...others] = CATALOGUE[path][kind]
  let found = { name: plain.name, fit: 0 }
  for (const { name, shows } of others) {
    if (shows.some((feature) => feature !== 'usage' && !wanted.has(feature))) continue
    const fit = shows.reduce((sum, feature) => sum + (wanted.has(feature) ? WEIGHT[feature] : 0), 0)
    if (fit > found.fit) found = { name, fit }
  }
  return found
}
