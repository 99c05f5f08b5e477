// What of a message reaches Anthropic, what it is billed for, and what is refused.
import { expect, test } from 'vitest'
import { DECIDED, type Row, refusalOf, testFields } from '../testing/field-rows.ts'
import { anthropicCountTokensRequest, anthropicMessagesRequest } from './anthropic-messages-request.ts'

const messages = [{ role: 'user', content: 'hi' }]
const base = { model: 'claude-sonnet-5-5', max_tokens: 100, messages }
const short = { type: 'ephemeral' }
const long = { type: 'ephemeral', ttl: '1h' }
const weather = { name: 'weather', description: 'of a city', input_schema: { type: 'object' } }
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } }

const SHARED: Row[] = [
  ['model', 'claude-sonnet-5-5', 'decided'],
  [
    'messages',
    [
      { role: 'user', content: 'hi' },
      { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
    ],
    'passes',
  ],
  ['messages', [], 'refused', 'at least one message'],
  ['messages', [{ role: 'tool', content: 'hi' }], 'refused', 'messages.0.role: must have the role'],
  ['messages', [{ role: 'system', content: [image] }], 'refused', 'messages.0.content.0.type: must be a block of type "text"'],
  ['system', 'Be brief.', 'passes'],
  ['system', [{ type: 'text', text: 'Be brief.', cache_control: short }], 'passes'],
  ['system', [image], 'refused', 'system.0.type: must be a block of type "text"'],
  ['system', 7, 'refused', 'must be a text or a list of text blocks'],
  ['tools', [weather, { type: 'bash_20250124', name: 'bash' }], 'passes'],
  ['tools', [{ type: 'web_search_20250305', name: 'web_search' }], 'refused', "tools.0.type: runs on the vendor's side"],
  ['tool_choice', { type: 'auto', disable_parallel_tool_use: true }, 'passes'],
  ['tool_choice', { type: 'tool', name: 'weather' }, 'passes'],
  ['tool_choice', { type: 'none' }, 'passes'],
  ['tool_choice', 'auto', 'refused', 'must be "auto", "any", "tool" or "none"'],
  ['thinking', { type: 'adaptive', display: 'summarized' }, 'passes'],
  ['thinking', { type: 'disabled' }, 'passes'],
  ['thinking', { type: 'enabled', budget_tokens: 99 }, 'passes'],
  ['thinking', { type: 'wild' }, 'refused', 'must be "enabled", "adaptive"'],
  ['output_config', { effort: 'high', format: { type: 'json_schema', schema: {} }, task_budget: { type: 'tokens', total: 50 } }, 'passes'],
  ['output_config', { speed: 'fast' }, 'refused', 'output_config.speed: is no field'],
  ['inference_geo', 'us', 'refused', 'regions have prices'],
  ['fallbacks', [{ model: 'claude-haiku-5-5' }], 'refused', 'other models have other prices'],
  ['fallback_credit_token', 't', 'refused', 'other models have other prices'],
  ['compaction', { type: 'summarize' }, 'refused', 'shorten the conversation'],
  ['mcp_servers', [{ type: 'url', url: 'https://a.example' }], 'refused', 'tools of your own'],
  ['mcp_servers', [], 'left out'],
  ['container', 'container_1', 'refused', "another customer's"],
  ['container', null, 'left out'],
  ['thread', { type: 'create' }, 'refused', 'the whole conversation'],
  ['billing_policy', { type: 'billing_policy', bill_to: 'user_profile' }, 'refused', 'who is billed'],
  ['user_profile_id', 'p', 'refused', 'who is billed'],
  ['workspace_id', 'w', 'refused', 'who is billed'],
  ['speed', 'standard', 'left out'],
  ['speed', 'fast', 'refused', 'prices of its own'],
  ['context_management', { edits: [] }, 'left out'],
  ['context_management', { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] }, 'left out'],
  ['context_management', { edits: [{ type: 'clear_tool_uses_20250919' }] }, 'refused', 'keep all'],
  ['context_management', { edits: [{ type: 'compact_20260112' }] }, 'refused', 'keep all'],
  [
    'context_management',
    { edits: [{ type: 'clear_thinking_20251015', keep: { type: 'thinking_turns', value: 1 } }] },
    'refused',
    'keep all',
  ],
  ['context_management', { instructions: 'x' }, 'refused', 'context_management.instructions: is no field'],
  ['diagnostics', { previous_message_id: 'msg_1' }, 'left out'],
]
const OF_MESSAGES: Row[] = [
  ['max_tokens', 5, 'decided'],
  ['max_tokens', 0, 'decided'],
  ['max_tokens', -1, 'refused', 'must be a whole number, 0 or more'],
  ['max_tokens', undefined, 'refused', 'is missing: it must be a whole number'],
  ['stream', true, 'passes'],
  ['temperature', 0.5, 'passes'],
  ['top_p', 0.5, 'passes'],
  ['top_k', 5, 'passes'],
  ['stop_sequences', ['\n'], 'passes'],
  ['metadata', { user_id: 'u1' }, 'passes'],
  ['metadata', { account: 'a' }, 'refused', 'metadata.account: is no field'],
  ['output_format', { type: 'json_schema', schema: {} }, 'passes'],
  ['cache_control', short, 'passes'],
  ['cache_control', { type: 'ephemeral', ttl: '24h' }, 'refused', 'cache_control.ttl: must be one of "5m", "1h"'],
  ['thinking', { type: 'enabled', budget_tokens: 100 }, 'refused', 'thinking.budget_tokens: must be less than max_tokens'],
  ['service_tier', 'auto', 'pinned'],
  ['service_tier', 'priority', 'refused', 'only the standard tier'],
]
testFields('messages', anthropicMessagesRequest, base, [...SHARED, ...OF_MESSAGES])

const LEFT_OUT: Row[] = [
  ...[
    'max_tokens',
    'stream',
    'temperature',
    'top_p',
    'top_k',
    'stop_sequences',
    'metadata',
    'output_format',
    'cache_control',
    'service_tier',
  ].map((field): Row => [field, OF_MESSAGES.find(([each]) => each === field)?.[1], 'left out']),
  ['max_tokens', -1, 'refused', '0 or more'],
]
testFields('count_tokens', anthropicCountTokensRequest, { model: 'claude-sonnet-5-5', messages }, [...SHARED, ...LEFT_OUT])

const blocks = [
  { type: 'text', text: 'hi', cache_control: short, citations: [{ type: 'char_location', cited_text: 'a' }] },
  image,
  { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'A text.' }, title: 't', context: 'c' },
  { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'a' }, image] } },
  { type: 'document', source: { type: 'content', content: 'a' }, citations: { enabled: false } },
  { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'a' }] },
  { type: 'thinking', thinking: 'hm', signature: 'sig' },
  { type: 'redacted_thinking', data: 'x' },
  {
    type: 'tool_use',
    id: 't1',
    name: 'weather',
    input: { city: 'Rome' },
    caller: { type: 'direct' },
    toolset_name: null,
    cache_control: null,
  },
  { type: 'tool_result', tool_use_id: 't1', content: 'sunny', is_error: false },
  { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'a' }, image] },
  { type: 'tool_result', tool_use_id: 't1' },
]

test.for(blocks)('the block %j passes', (block) => {
  const body = { ...base, messages: [{ role: 'user', content: [block] }] }
  anthropicMessagesRequest.read(body)
  expect(anthropicMessagesRequest.forward(body, DECIDED).messages).toEqual(body.messages)
})

const IN = 'messages.0.content.0'
test.for([
  [{ type: 'image', source: { type: 'url', url: 'https://a.example/b.png' } }, `${IN}.source.type`, 'only inline images'],
  [{ type: 'image', source: { type: 'file', file_id: 'f' } }, `${IN}.source.type`, 'only inline images'],
  [{ type: 'image', source: { type: 'base64', media_type: 'image/svg+xml', data: '' } }, `${IN}.source.media_type`, '"image/png"'],
  [{ ...image, transformations: {} }, `${IN}.transformations`, 'is no field'],
  [{ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' } }, `${IN}.source.type`, 'cannot be bounded'],
  [{ type: 'document', source: { type: 'url', url: 'https://a.example/b.pdf' } }, `${IN}.source.type`, 'cannot be bounded'],
  [{ type: 'document', source: { type: 'file', file_id: 'f' } }, `${IN}.source.type`, 'cannot be bounded'],
  [{ type: 'server_tool_use', id: 's', name: 'web_search', input: {} }, `${IN}.type`, 'not offered'],
  [{ type: 'web_search_tool_result', tool_use_id: 's', content: [] }, `${IN}.type`, 'not offered'],
  [{ type: 'web_fetch_tool_result' }, `${IN}.type`, 'not offered'],
  [{ type: 'code_execution_tool_result' }, `${IN}.type`, 'not offered'],
  [{ type: 'advisor_tool_result' }, `${IN}.type`, 'not offered'],
  [{ type: 'mcp_tool_use' }, `${IN}.type`, 'not offered'],
  [{ type: 'container_upload', file_id: 'f' }, `${IN}.type`, 'cannot be bounded'],
  [{ type: 'compaction', content: 'x' }, `${IN}.type`, 'cannot be bounded'],
  [{ type: 'fallback' }, `${IN}.type`, 'other prices'],
  [{ type: 'tool_addition', tool: {} }, `${IN}.type`, 'in the field tools'],
  [{ type: 'dream' }, `${IN}.type`, 'must be a block of type'],
  [
    { type: 'tool_use', id: 't', name: 'n', input: {}, caller: { type: 'code_execution_20260120', tool_id: 's' } },
    `${IN}.caller.type`,
    '"direct"',
  ],
  [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'tool_reference', tool_name: 'n' }] }, `${IN}.content.0.type`, 'tool search'],
  [
    { type: 'tool_result', tool_use_id: 't', content: [{ type: 'image', source: { type: 'url', url: 'u' } }] },
    `${IN}.content.0.source.type`,
    'inline',
  ],
  [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '1d' } }, `${IN}.cache_control.ttl`, '"1h"'],
  [{ type: 'text' }, `${IN}.text`, 'is missing: it must be a text'],
] as const)('the block %j is refused at %s', ([block, param, words]) => {
  const refused = refusalOf(anthropicMessagesRequest, { ...base, messages: [{ role: 'user', content: [block] }] })
  expect(refused.param).toBe(param)
  expect(refused.message).toContain(words)
})

const ofTools = (...tools: unknown[]) => ({ ...base, tools })

test.for([
  // 1,024 for the prompt that tools bring, 2,048 for each description of the vendor's own.
  [[], 0],
  [[weather], 1_024],
  [[{ ...weather, type: 'custom', cache_control: short, eager_input_streaming: true, strict: true, defer_loading: false }], 1_024],
  [[{ type: 'text_editor_20250728', name: 'str_replace_based_edit_tool', max_characters: 9 }], 3_072],
  [[{ type: 'memory_20250818', name: 'memory' }, weather], 3_072],
  [
    [
      { type: 'bash_20250124', name: 'bash' },
      { type: 'computer_20251124', name: 'computer', display_width_px: 9, display_height_px: 9 },
    ],
    5_120,
  ],
] as const)('the tools %j pass, and add %i tokens at most', ([tools, margin]) => {
  expect(anthropicMessagesRequest.read(ofTools(...tools)).marginTokens).toBe(margin)
})

test.for([
  'web_search_20260318',
  'web_fetch_20260318',
  'code_execution_20260521',
  'tool_search_tool_regex_20251119',
  'advisor_20260301',
  'mcp_toolset',
  'browser_toolset_20260801',
  'computer_toolset_20260801',
  'bash_code_execution',
  'Bash_20250124',
  'function',
])('the tool %s is refused, beside others too', (type) => {
  const refused = refusalOf(anthropicMessagesRequest, ofTools(weather, { type, name: 'n' }))
  expect(refused.param).toBe('tools.1.type')
  expect(refused.message).toContain('use a tool of your own')
})

test.for([
  [{ ...weather, allowed_callers: ['code_execution_20260120'] }, 'tools.0.allowed_callers.0', 'only "direct"'],
  [{ ...weather, defer_loading: true }, 'tools.0.defer_loading', 'tool search'],
  [{ ...weather, url: 'https://a.example' }, 'tools.0.url', 'is no field'],
  [{ name: 'weather' }, 'tools.0.input_schema', 'is missing: it must be an object'],
  [{ type: 'bash_20250124', name: 'bash', container: 'c' }, 'tools.0.container', 'is no field'],
] as const)('the tool %j is refused at %s', ([tool, param, words]) => {
  const refused = refusalOf(anthropicMessagesRequest, ofTools(tool))
  expect(refused.param).toBe(param)
  expect(refused.message).toContain(words)
})

const inResult = (cache_control: unknown) => [
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'a', cache_control }] }] },
]
const inDocument = (cache_control: unknown) => [
  { role: 'user', content: [{ type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'a', cache_control }] } }] },
]
const inSearch = (cache_control: unknown) => [
  { role: 'user', content: [{ type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'a', cache_control }] }] },
]
test.for([
  ['nowhere', () => ({}), 'none'],
  ['at the top level', (mark: unknown) => ({ cache_control: mark }), undefined],
  ['in the system prompt', (mark: unknown) => ({ system: [{ type: 'text', text: 'a', cache_control: mark }] }), undefined],
  ['on a tool', (mark: unknown) => ({ tools: [{ ...weather, cache_control: mark }] }), undefined],
  ['on a tool of the vendor', (mark: unknown) => ({ tools: [{ type: 'bash_20250124', name: 'bash', cache_control: mark }] }), undefined],
  ['in a message', (mark: unknown) => ({ messages: [{ role: 'user', content: [{ ...image, cache_control: mark }] }] }), undefined],
  ['in a tool result', (mark: unknown) => ({ messages: inResult(mark) }), undefined],
  ['in a document', (mark: unknown) => ({ messages: inDocument(mark) }), undefined],
  ['in a search result', (mark: unknown) => ({ messages: inSearch(mark) }), undefined],
] as const)('a mark for the cache %s is seen, and so is how long it lasts', ([, place, fixed]) => {
  const writes = (mark: unknown) => anthropicMessagesRequest.read({ ...base, ...place(mark) }).cacheWrite
  expect([writes(null), writes(short), writes({ ...short, ttl: '5m' }), writes(long)]).toEqual(
    fixed === undefined ? ['none', 'short', 'short', 'long'] : [fixed, fixed, fixed, fixed],
  )
})

test('the longest of several marks counts', () => {
  expect(anthropicMessagesRequest.read({ ...base, messages: inResult(long), cache_control: short }).cacheWrite).toBe('long')
})

test('inline images are found wherever they are', () => {
  const content = [
    image,
    { type: 'tool_result', tool_use_id: 't', content: [image, { type: 'document', source: { type: 'content', content: [image] } }] },
  ]
  expect(anthropicMessagesRequest.read({ ...base, messages: [{ role: 'user', content }] }).media).toEqual(
    [1, 2, 3].map(() => ({ base64: 'iVBORw0KGgo=', tokens: 8_192 })),
  )
})

test('what is to be cited adds the marks around its sentences', () => {
  const cited = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'One. Two.' }, citations: { enabled: true } }
  const found = { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'abc' }], citations: { enabled: true } }
  const margin = (...content: unknown[]) => anthropicMessagesRequest.read({ ...base, messages: [{ role: 'user', content }] }).marginTokens
  // 1,024 + 9 bytes; with the other 1,024 + 3 bytes more.
  expect(margin(cited)).toBe(1_033)
  expect(margin(cited, found)).toBe(2_060)
})

test('what a message asks for is read from its fields', () => {
  expect(anthropicMessagesRequest.read({ ...base, stream: true })).toEqual({
    model: 'claude-sonnet-5-5',
    stream: true,
    usageAsked: true,
    outputAsked: 100,
    answers: 1,
    media: [],
    marginTokens: 0,
    cacheWrite: 'none',
  })
  expect(anthropicMessagesRequest.read({ ...base, max_tokens: 0 }).outputAsked).toBe(0)
})

test('a request as Claude Code sends it reaches the vendor whole, but for what asks for nothing', () => {
  const body = {
    model: 'claude-sonnet-5-5',
    max_tokens: 32_000,
    stream: true,
    system: [{ type: 'text', text: 'You are Claude Code.', cache_control: long }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'hi', cache_control: long }] }],
    tools: [{ ...weather, cache_control: short }],
    metadata: { user_id: 'user_1' },
    thinking: { type: 'adaptive' },
    output_config: { effort: 'medium' },
    context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  }
  expect(anthropicMessagesRequest.read(body)).toMatchObject({ outputAsked: 32_000, marginTokens: 1_024, cacheWrite: 'long' })
  const { context_management: _nothing, ...rest } = body
  expect(anthropicMessagesRequest.forward(body, DECIDED)).toEqual({
    ...rest,
    model: 'gpt-6-2026',
    max_tokens: 1000,
    service_tier: 'standard_only',
  })
})

test('a budget for thinking stays below a limit that was lowered', () => {
  const body = { ...base, max_tokens: 32_000, thinking: { type: 'enabled', budget_tokens: 31_999, display: 'omitted' } }
  expect(anthropicMessagesRequest.forward(body, { ...DECIDED, outputLimit: 8_000 })).toMatchObject({
    max_tokens: 8_000,
    thinking: { type: 'enabled', budget_tokens: 7_999, display: 'omitted' },
  })
})

test('a request to count has no limit, no output, and writes nothing', () => {
  const body = { ...base, stream: true, temperature: 1, tools: [weather], cache_control: long, metadata: { user_id: 'u' } }
  expect(anthropicCountTokensRequest.read(body)).toMatchObject({ stream: false, outputAsked: 0, cacheWrite: 'none' })
  expect(anthropicCountTokensRequest.forward(body, DECIDED)).toEqual({ model: 'gpt-6-2026', messages, tools: [weather] })
})
