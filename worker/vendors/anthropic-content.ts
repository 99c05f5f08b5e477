// The blocks that Anthropic's messages may hold, by allow-list: such as hold all that the vendor reads of them.
import * as z from 'zod'
import { byteLength } from '../seen.ts'
import { typeError } from './field-list.ts'
import type { CacheWrite, VendorAsked } from './vendor-request.ts'

/** Images above 2,576 pixels a side are scaled down: 4,784 tokens at most. Source: Anthropic's guide to vision, with room to spare. */
const IMAGE_TOKENS = 8_192
/** What the vendor puts around a document that is to be cited: instructions once, and marks around each of its sentences. */
const CITED_TOKENS = 1_024
const CITED_TOKENS_PER_BYTE = 1

const UNBOUNDED = 'what it holds cannot be bounded'
const SERVER_TOOL = "is of a tool on the vendor's side, which is not offered: leave the block out."
const REFUSED_BLOCKS: Readonly<Record<string, string>> = {
  server_tool_use: SERVER_TOOL,
  web_search_tool_result: SERVER_TOOL,
  web_fetch_tool_result: SERVER_TOOL,
  advisor_tool_result: SERVER_TOOL,
  code_execution_tool_result: SERVER_TOOL,
  bash_code_execution_tool_result: SERVER_TOOL,
  text_editor_code_execution_tool_result: SERVER_TOOL,
  tool_search_tool_result: SERVER_TOOL,
  tool_reference: 'needs tool search, which is not offered: send the tool in tools.',
  mcp_tool_use: SERVER_TOOL,
  mcp_tool_result: SERVER_TOOL,
  mcp_tool_listing: SERVER_TOOL,
  container_upload: `${UNBOUNDED}: send its text.`,
  compaction: `${UNBOUNDED}: send the conversation itself.`,
  fallback: 'other models have other prices: leave the block out.',
  tool_addition: 'send tools in the field tools.',
  tool_removal: 'send tools in the field tools.',
  browser_state: SERVER_TOOL,
}

export const cacheControl = z.strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() }).nullish()
const marked = { cache_control: cacheControl }

const textBlock = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  citations: z.array(z.looseObject({ type: z.string() })).nullish(),
  ...marked,
})

const INLINE_IMAGE = 'only inline images are offered: send a source of type "base64" with media_type and data.'
const imageBlock = z.strictObject({
  type: z.literal('image'),
  source: z.discriminatedUnion(
    'type',
    [
      z.strictObject({
        type: z.literal('base64'),
        media_type: z.enum(['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
        data: z.string(),
      }),
    ],
    { error: INLINE_IMAGE },
  ),
  ...marked,
})

const citations = z.strictObject({ enabled: z.boolean().nullish() }).nullish()
const textOrImage = z.discriminatedUnion('type', [textBlock, imageBlock], {
  error: typeError('a block of type "text" or "image"', REFUSED_BLOCKS),
})
const documentBlock = z.strictObject({
  type: z.literal('document'),
  source: z.discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: z.string() }),
      z.strictObject({
        type: z.literal('content'),
        content: z.union([z.string(), z.array(textOrImage)], 'must be a text or a list of blocks.'),
      }),
    ],
    { error: `${UNBOUNDED}: send its text, as a source of type "text" or "content".` },
  ),
  title: z.string().nullish(),
  context: z.string().nullish(),
  citations,
  ...marked,
})
const searchResultBlock = z.strictObject({
  type: z.literal('search_result'),
  source: z.string(),
  title: z.string(),
  content: z.array(textBlock),
  citations,
  ...marked,
})

/** Answers hold it, and are sent back whole. */
const toolset = { toolset_name: z.null('toolsets are not offered: leave it out.').optional() }
const toolResultBlock = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z
    .union(
      [
        z.string(),
        z.array(
          z.discriminatedUnion('type', [textBlock, imageBlock, searchResultBlock, documentBlock], {
            error: typeError('a block of type "text", "image", "document" or "search_result"', REFUSED_BLOCKS),
          }),
        ),
      ],
      'must be a text or a list of blocks.',
    )
    .nullish(),
  is_error: z.boolean().nullish(),
  ...toolset,
  ...marked,
})
const toolUseBlock = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
  caller: z.strictObject({ type: z.literal('direct', 'must be "direct": programs run on the vendor\'s side.') }).nullish(),
  ...toolset,
  ...marked,
})

const block = z.discriminatedUnion(
  'type',
  [
    textBlock,
    imageBlock,
    documentBlock,
    searchResultBlock,
    z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
    z.strictObject({ type: z.literal('redacted_thinking'), data: z.string() }),
    toolUseBlock,
    toolResultBlock,
  ],
  {
    error: typeError(
      'a block of type "text", "image", "document", "search_result", "thinking", "redacted_thinking", "tool_use" or "tool_result"',
      REFUSED_BLOCKS,
    ),
  },
)
type Block = z.output<typeof block>
type Inner = z.output<typeof textOrImage> | Block

const SYSTEM = 'must be a text or a list of text blocks.'
const systemBlock = z.discriminatedUnion('type', [textBlock], { error: typeError('a block of type "text"', REFUSED_BLOCKS) })
export const system = z.union([z.string(), z.array(systemBlock)], SYSTEM)
export const message = z.discriminatedUnion(
  'role',
  [
    z.strictObject({
      role: z.enum(['user', 'assistant']),
      content: z.union([z.string(), z.array(block)], 'must be a text or a list of blocks.'),
    }),
    z.strictObject({ role: z.literal('system'), content: system }),
  ],
  { error: 'must have the role "user", "assistant" or "system".' },
)

/** Every block of a conversation, those within others included. */
export function blocksOf(messages: readonly z.output<typeof message>[]): Inner[] {
  const within = (each: Inner): Inner[] => {
    if (each.type === 'tool_result' || each.type === 'search_result') return [each, ...listOf(each.content).flatMap(within)]
    if (each.type === 'document' && each.source.type === 'content') return [each, ...listOf(each.source.content)]
    return [each]
  }
  return messages.flatMap(({ content }) => listOf<Inner>(content).flatMap(within))
}

function listOf<T>(content: string | readonly T[] | null | undefined): readonly T[] {
  return Array.isArray(content) ? content : []
}

export function imagesOf(blocks: readonly Inner[]): VendorAsked['media'] {
  return blocks.flatMap((each) => (each.type === 'image' ? [{ base64: each.source.data, tokens: IMAGE_TOKENS }] : []))
}

/** Tokens at most that citing adds to the blocks. */
export function citingTokens(blocks: readonly Inner[]): number {
  return blocks.reduce((sum, each) => {
    if ((each.type !== 'document' && each.type !== 'search_result') || each.citations?.enabled !== true) return sum
    return sum + CITED_TOKENS + CITED_TOKENS_PER_BYTE * byteLength(citedText(each))
  }, 0)
}

function citedText(each: Extract<Inner, { type: 'document' | 'search_result' }>): string {
  if (each.type === 'document' && each.source.type === 'text') return each.source.data
  const content = each.type === 'search_result' ? each.content : each.source.type === 'content' ? each.source.content : ''
  return typeof content === 'string' ? content : content.map((one) => (one.type === 'text' ? one.text : '')).join('')
}

/** What these marks write to the cache: the dearest of them. */
export function cacheWriteOf(marks: readonly z.output<typeof cacheControl>[]): CacheWrite {
  const set = marks.filter((mark) => mark != null)
  if (set.some((mark) => mark.ttl === '1h')) return 'long'
  return set.length > 0 ? 'short' : 'none'
}
