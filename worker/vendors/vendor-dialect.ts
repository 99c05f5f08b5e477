// A dialect as its vendor speaks it: where it is asked, how a request is read and written, how an answer comes.
import type { Wire } from '../dialects/dialect.ts'
import { anthropicMessagesRequest } from './anthropic-messages-request.ts'
import { messagesStreamed, messagesWhole } from './anthropic-wires.ts'
import { openaiChatRequest } from './openai-chat-request.ts'
import { openaiCompletionsRequest } from './openai-completions-request.ts'
import { openaiEmbeddingsRequest } from './openai-embeddings-request.ts'
import { openaiResponsesRequest } from './openai-responses-request.ts'
import {
  chatStreamed,
  chatWhole,
  completionsStreamed,
  completionsWhole,
  embeddingsWhole,
  responsesStreamed,
  responsesWhole,
} from './openai-wires.ts'
import type { Vendor, VendorRequest } from './vendor-request.ts'

export interface VendorDialect {
  vendor: Vendor
  /** Behind the vendor's base URL, as that vendor's SDK joins them. */
  path: string
  request: VendorRequest
  /** null: never a stream. */
  streamed: Wire | null
  whole: Wire
}

const DIALECTS: readonly VendorDialect[] = [
  { vendor: 'openai', path: '/chat/completions', request: openaiChatRequest, streamed: chatStreamed, whole: chatWhole },
  { vendor: 'openai', path: '/completions', request: openaiCompletionsRequest, streamed: completionsStreamed, whole: completionsWhole },
  { vendor: 'openai', path: '/embeddings', request: openaiEmbeddingsRequest, streamed: null, whole: embeddingsWhole },
  { vendor: 'openai', path: '/responses', request: openaiResponsesRequest, streamed: responsesStreamed, whole: responsesWhole },
  { vendor: 'anthropic', path: '/v1/messages', request: anthropicMessagesRequest, streamed: messagesStreamed, whole: messagesWhole },
]

const byName = new Map(DIALECTS.map((dialect) => [dialect.whole.name, dialect]))

/** The vendor's side of a dialect; undefined where no vendor speaks it. */
export function vendorDialectOf(name: string): VendorDialect | undefined {
  return byName.get(name)
}
