// What of a chat reaches OpenAI, what it is billed for, and what is refused.
import { expect, test } from 'vitest'
import { DECIDED, type Row, refusalOf, testFields } from '../testing/field-rows.ts'
import { openaiChatRequest } from './openai-chat-request.ts'

const base = { model: 'gpt-6', messages: [{ role: 'user', content: 'hi' }] }
const PNG = 'data:image/png;base64,iVBORw0KGgo='
const weather = { type: 'function', function: { name: 'weather', description: 'of a city', parameters: { type: 'object' }, strict: true } }

const ROWS: Row[] = [
  ['model', 'gpt-6', 'decided'],
  ['model', '', 'refused', 'name a model'],
  [
    'messages',
    [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', name: 'ann', content: [{ type: 'text', text: 'hi' }] },
    ],
    'passes',
  ],
  ['messages', [], 'refused', 'at least one message'],
  ['messages', [{ role: 'critic', content: 'hi' }], 'refused', 'must be one of "developer", "system"'],
  ['stream', true, 'passes'],
  ['stream', 'yes', 'refused', 'true or false'],
  ['stream_options', { include_usage: true }, 'left out'],
  ['stream_options', { include_cost: true }, 'refused', 'stream_options.include_cost: is no field'],
  ['max_tokens', 5, 'left out'],
  ['max_tokens', 0, 'refused', 'must be 1 or more'],
  ['max_tokens', -1, 'refused', 'must be 1 or more'],
  ['max_tokens', 1.5, 'refused', 'must be a whole number'],
  ['max_completion_tokens', 5, 'passes'],
  ['max_completion_tokens', 0, 'refused', 'must be 1 or more'],
  ['temperature', 0.2, 'passes'],
  ['top_p', 0.9, 'passes'],
  ['frequency_penalty', 1, 'passes'],
  ['presence_penalty', -1, 'passes'],
  ['seed', -7, 'passes'],
  ['stop', ['\n', '.'], 'passes'],
  ['stop', 7, 'refused', 'a text or a list of texts'],
  ['logprobs', true, 'passes'],
  ['top_logprobs', 3, 'passes'],
  ['logit_bias', { '50256': -100 }, 'passes'],
  ['n', 3, 'passes'],
  ['n', 0, 'refused', 'at least 1'],
  ['n', 101, 'refused', 'asks for 101 answers, and at most 100'],
  ['user', 'u1', 'passes'],
  ['metadata', { run: '7' }, 'passes'],
  ['metadata', { run: 7 }, 'refused', 'metadata.run: must be a text'],
  ['response_format', { type: 'json_schema', json_schema: { name: 'p', schema: { type: 'object' } } }, 'passes'],
  ['response_format', { type: 'json_object' }, 'passes'],
  ['tools', [weather, { type: 'custom', custom: { name: 'sql', format: { type: 'text' } } }], 'passes'],
  ['tools', [weather, { type: 'web_search' }], 'refused', "tools.1.type: runs on the vendor's side"],
  ['tools', [{ type: 'mcp', server_url: 'https://a.example' }], 'refused', "runs on the vendor's side"],
  ['tools', [{ type: 'telepathy' }], 'refused', 'must be a tool of type "function" or "custom"'],
  ['tools', [{ ...weather, execution: 'server' }], 'refused', 'tools.0.execution: is no field'],
  ['tool_choice', 'required', 'passes'],
  ['tool_choice', { type: 'function', function: { name: 'weather' } }, 'passes'],
  ['tool_choice', { type: 'custom', custom: { name: 'sql' } }, 'passes'],
  [
    'tool_choice',
    { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'weather' } }] } },
    'passes',
  ],
  ['tool_choice', { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'web_search' }] } }, 'refused', 'runs on'],
  ['tool_choice', { type: 'web_search' }, 'refused', "runs on the vendor's side"],
  ['tool_choice', 'always', 'refused', 'must be "none", "auto", "required", or name a tool'],
  ['parallel_tool_calls', false, 'passes'],
  ['reasoning_effort', 'high', 'passes'],
  ['verbosity', 'low', 'passes'],
  ['safety_identifier', 's1', 'passes'],
  ['prompt_cache_key', 'k1', 'passes'],
  ['prompt_cache_options', { mode: 'explicit', ttl: '30m' }, 'passes'],
  ['prompt_cache_options', { comparison_response_id: 'resp_1' }, 'refused', 'prompt_cache_options.comparison_response_id: is no field'],
  ['prompt_cache_retention', 'in_memory', 'passes'],
  ['prompt_cache_retention', '24h', 'refused', 'no price for it'],
  ['modalities', ['text'], 'passes'],
  ['modalities', ['text', 'audio'], 'refused', 'modalities.1: audio has prices of its own'],
  ['functions', [{ name: 'f', parameters: {} }], 'passes'],
  ['function_call', { name: 'f' }, 'passes'],
  ['moderation', { model: 'omni-moderation-latest', policy: { input: { mode: 'score' } } }, 'passes'],
  ['store', true, 'pinned'],
  ['service_tier', 'auto', 'pinned'],
  ['service_tier', 'priority', 'refused', 'service_tier: only the default tier is offered here: leave it out.'],
  ['service_tier', 'flex', 'refused', 'only the default tier'],
  ['prediction', { type: 'content', content: 'x' }, 'refused', 'billed beyond the limit'],
  ['prediction', null, 'left out'],
  ['audio', { voice: 'alloy', format: 'wav' }, 'refused', 'audio has prices of its own'],
  ['web_search_options', {}, 'refused', 'each search is billed'],
  ['web_search_options', null, 'left out'],
]
testFields('chat', openaiChatRequest, base, ROWS)

const inUser = (part: unknown) => ({
  model: 'gpt-6',
  messages: [
    { role: 'system', content: 's' },
    { role: 'user', content: [{ type: 'text', text: 'a' }, part] },
  ],
})

test.for([
  [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }, 'messages.1.content.1.type', 'audio has prices of its own'],
  [{ type: 'file', file: { file_id: 'file-1' } }, 'messages.1.content.1.type', 'cannot be bounded'],
  [{ type: 'image_url', image_url: { url: 'https://a.example/b.png' } }, 'messages.1.content.1.image_url.url', 'only inline images'],
  [
    { type: 'image_url', image_url: { url: 'data:application/pdf;base64,AAAA' } },
    'messages.1.content.1.image_url.url',
    'only inline images',
  ],
  [{ type: 'image_url', image_url: PNG }, 'messages.1.content.1.image_url', 'must be an object'],
  [{ type: 'image_url', image_url: { url: PNG, file_id: 'file-1' } }, 'messages.1.content.1.image_url.file_id', 'is no field'],
  [{ type: 'image_url', image_url: { url: PNG, detail: 'ultra' } }, 'messages.1.content.1.image_url.detail', 'must be one of "low"'],
  [{ type: 'hologram' }, 'messages.1.content.1.type', 'must be a part of type'],
  [{ type: 'text' }, 'messages.1.content.1.text', 'is missing: it must be a text'],
  [
    { type: 'text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit', ttl: '7d' } },
    'messages.1.content.1.prompt_cache_breakpoint.ttl',
    '"12h"',
  ],
  ['bare', 'messages.1.content.1', 'must be a part of type'],
] as const)('the part %j is refused at %s', ([part, param, words]) => {
  const refused = refusalOf(openaiChatRequest, inUser(part))
  expect(refused.param).toBe(param)
  expect(refused.message).toContain(words)
})

test('content of another kind is refused in the words of what may be there', () => {
  const refused = refusalOf(openaiChatRequest, { model: 'm', messages: [{ role: 'user', content: 7 }] })
  expect(refused).toEqual({ param: 'messages.0.content', message: 'messages.0.content: must be a text or a list of parts.' })
})

test('an answer that is sent back passes as the SDK gives it, and its audio is refused', () => {
  const answer = {
    role: 'assistant',
    content: null,
    refusal: null,
    annotations: [],
    audio: null,
    function_call: null,
    tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
  }
  const messages = [...base.messages, answer, { role: 'tool', tool_call_id: 'c1', content: 'sunny' }]
  expect(openaiChatRequest.forward({ ...base, messages }, DECIDED).messages).toEqual(messages)
  const spoken = { ...base, messages: [...base.messages, { ...answer, audio: { id: 'audio_1' } }] }
  expect(openaiChatRequest.read({ ...base, messages }).media).toEqual([])
  expect(refusalOf(openaiChatRequest, spoken)).toMatchObject({
    param: 'messages.1.audio',
    message: expect.stringContaining('audio has prices'),
  })
})

test('an inline image is its base64, at the most it can be billed as', () => {
  // gpt-4o-mini: 2,833 + 8 × 5,667 = 48,169 tokens.
  const bound = (detail?: string) => openaiChatRequest.read(inUser({ type: 'image_url', image_url: { url: PNG, detail } })).media
  expect(bound()).toEqual([{ base64: 'iVBORw0KGgo=', tokens: 50_000 }])
  expect(bound('high')[0]?.tokens).toBe(50_000)
  expect(bound('original')[0]?.tokens).toBe(50_000)
  expect(bound('low')[0]?.tokens).toBe(8_000)
})

test('what a chat asks for is read from its fields', () => {
  expect(openaiChatRequest.read({ ...base, tools: [weather] })).toEqual({
    model: 'gpt-6',
    stream: false,
    usageAsked: false,
    outputAsked: null,
    answers: 1,
    media: [],
    marginTokens: 0,
    cacheWrite: 'automatic',
  })
  const body = { ...base, stream: true, stream_options: { include_usage: true }, max_tokens: 9, max_completion_tokens: 9, n: 4 }
  expect(openaiChatRequest.read(body)).toMatchObject({ stream: true, usageAsked: true, outputAsked: 9, answers: 4 })
})

test('two limits that differ are refused', () => {
  expect(refusalOf(openaiChatRequest, { ...base, max_tokens: 1, max_completion_tokens: 2 })).toMatchObject({ param: 'max_tokens' })
})

test('what is written to the cache is the dearest that the request can ask for', () => {
  const writes = (more: object) => openaiChatRequest.read({ ...base, ...more }).cacheWrite
  const marked = (ttl?: string) => [
    { role: 'user', content: [{ type: 'text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit', ttl } }] },
  ]
  expect(writes({ prompt_cache_options: { mode: 'implicit' } })).toBe('automatic')
  expect(writes({ prompt_cache_options: { ttl: '30m' } })).toBe('short')
  expect(writes({ prompt_cache_options: { ttl: '12h' } })).toBe('long')
  expect(writes({ messages: marked() })).toBe('short')
  expect(writes({ messages: marked('12h') })).toBe('long')
})

test('the body for the vendor holds what was listed, what is pinned, and what was decided', () => {
  const body = { ...base, stream: true, max_tokens: 50, store: true, service_tier: 'auto', user: null, prediction: null, temperature: 1 }
  expect(openaiChatRequest.forward(body, DECIDED)).toEqual({
    model: 'gpt-6-2026',
    messages: base.messages,
    stream: true,
    stream_options: { include_usage: true },
    temperature: 1,
    max_completion_tokens: 50,
    store: false,
    service_tier: 'default',
  })
})

test('the limit is written in one field, and never above what was asked', () => {
  const old = { ...DECIDED, limitField: 'max_tokens' as const }
  expect(openaiChatRequest.forward({ ...base, max_completion_tokens: 2000 }, old)).toMatchObject({ max_tokens: 1000 })
  expect(openaiChatRequest.forward({ ...base, max_completion_tokens: 20 }, old)).toMatchObject({ max_tokens: 20 })
  expect(openaiChatRequest.forward({ ...base, max_completion_tokens: 20 }, old)).not.toHaveProperty('max_completion_tokens')
  expect(openaiChatRequest.forward(base, DECIDED)).toMatchObject({ max_completion_tokens: 1000 })
})

test('a caller who wants no padding in the stream gets none', () => {
  const body = { ...base, stream: true, stream_options: { include_obfuscation: false } }
  expect(openaiChatRequest.forward(body, DECIDED).stream_options).toEqual({ include_obfuscation: false, include_usage: true })
})
