// What of a request for a response reaches OpenAI, what it is billed for, and what is refused.
import { expect, test } from 'vitest'
import type { JsonObject } from '../json.ts'
import { DECIDED, type Row, refusalOf, testFields } from '../testing/field-rows.ts'
import { openaiResponsesRequest } from './openai-responses-request.ts'

const base = { model: 'gpt-6', input: 'hi' }
const PNG = 'data:image/png;base64,iVBORw0KGgo='
const weather = { type: 'function', name: 'weather', description: 'of a city', parameters: { type: 'object' }, strict: true }

const ROWS: Row[] = [
  ['model', 'gpt-6', 'decided'],
  ['input', 'hi', 'passes'],
  ['input', '', 'refused', 'must not be empty'],
  ['input', [], 'refused', 'must not be empty'],
  ['input', [{ role: 'user', content: 'hi' }], 'passes'],
  ['input', [{ type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'hi' }] }], 'passes'],
  ['instructions', 'Be brief.', 'passes'],
  ['stream', false, 'passes'],
  ['stream_options', { include_obfuscation: false }, 'left out'],
  ['stream_options', { include_usage: true }, 'refused', 'stream_options.include_usage: is no field'],
  ['max_output_tokens', 16, 'decided'],
  ['max_output_tokens', 15, 'refused', 'must be at least 16'],
  ['temperature', 0, 'passes'],
  ['top_p', 0.5, 'passes'],
  ['top_logprobs', 2, 'passes'],
  ['tools', [weather, { type: 'custom', name: 'sql', format: { type: 'text' } }], 'passes'],
  ['tools', [{ type: 'namespace', name: 'crm', description: 'd', tools: [weather] }], 'passes'],
  ['tools', [{ type: 'namespace', name: 'crm', description: 'd', tools: [{ type: 'mcp' }] }], 'refused', 'tools.0.tools.0.type: runs on'],
  ['tools', [{ type: 'web_search' }], 'refused', "tools.0.type: runs on the vendor's side"],
  ['tool_choice', 'auto', 'passes'],
  ['tool_choice', { type: 'function', name: 'weather' }, 'passes'],
  ['tool_choice', { type: 'allowed_tools', mode: 'required', tools: [{ type: 'custom', name: 'sql' }] }, 'passes'],
  ['tool_choice', { type: 'file_search' }, 'refused', "runs on the vendor's side"],
  ['tool_choice', { type: 'mcp', server_label: 'a' }, 'refused', "runs on the vendor's side"],
  ['parallel_tool_calls', true, 'passes'],
  ['max_tool_calls', 3, 'passes'],
  ['text', { format: { type: 'json_schema', name: 'p', schema: {}, strict: true }, verbosity: 'low' }, 'passes'],
  ['text', { format: { type: 'grammar' } }, 'refused', 'must be one of "text"'],
  ['reasoning', { effort: 'high', summary: 'auto', context: 'auto', generate_summary: null }, 'passes'],
  ['reasoning', { mode: 'pro' }, 'refused', 'reasoning.mode: only "standard" is offered'],
  ['include', ['reasoning.encrypted_content', 'message.output_text.logprobs'], 'passes'],
  ['include', ['file_search_call.results'], 'refused', 'include.0: must be "reasoning.encrypted_content"'],
  ['truncation', 'auto', 'passes'],
  ['metadata', { run: '7' }, 'passes'],
  ['user', 'u1', 'passes'],
  ['safety_identifier', 's1', 'passes'],
  ['prompt_cache_key', 'k1', 'passes'],
  ['prompt_cache_options', { ttl: '12h' }, 'passes'],
  ['prompt_cache_options', { prewarm: true }, 'refused', 'prompt_cache_options.prewarm: is no field'],
  ['prompt_cache_retention', '24h', 'refused', 'no price for it'],
  ['prompt_cache_retention', 'in_memory', 'passes'],
  ['moderation', { model: 'omni-moderation-latest' }, 'passes'],
  ['store', true, 'pinned'],
  ['service_tier', 'default', 'pinned'],
  ['service_tier', 'ultrafast', 'refused', 'only the default tier'],
  ['background', true, 'refused', 'billed out of sight'],
  ['background', false, 'left out'],
  ['previous_response_id', 'resp_1', 'refused', 'send the whole conversation'],
  ['previous_response_id', null, 'left out'],
  ['conversation', 'conv_1', 'refused', 'send the whole conversation'],
  ['prompt', { id: 'pmpt_1' }, 'refused', 'send its text'],
  ['context_management', [{ type: 'compaction' }], 'refused', 'compaction is billed'],
  ['context_management', [], 'left out'],
  ['multi_agent', { enabled: true }, 'refused', 'cannot be bounded'],
  ['image', { context_compression: 'disabled' }, 'refused', 'set the detail of each image'],
  ['access_programs', { cyber: 'daybreak_red' }, 'refused', "the operator's account's"],
  ['client_metadata', { session: 's' }, 'left out'],
]
testFields('responses', openaiResponsesRequest, base, ROWS)

const items: JsonObject[] = [
  {
    type: 'message',
    role: 'user',
    content: [
      { type: 'input_text', text: 'hi' },
      { type: 'input_image', image_url: PNG, detail: 'low' },
    ],
  },
  {
    type: 'message',
    id: 'msg_1',
    status: 'completed',
    role: 'assistant',
    phase: 'final_answer',
    content: [
      { type: 'output_text', text: 'a', annotations: [], logprobs: [] },
      { type: 'refusal', refusal: 'no' },
    ],
  },
  { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'weather', arguments: '{}', status: 'completed', caller: { type: 'direct' } },
  { type: 'function_call_output', call_id: 'c1', output: 'sunny' },
  { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_image', image_url: PNG }] },
  { type: 'custom_tool_call', call_id: 'c2', name: 'sql', input: 'select 1' },
  { type: 'custom_tool_call_output', call_id: 'c2', output: '1' },
  { type: 'reasoning', summary: [{ type: 'summary_text', text: 's' }], content: null, encrypted_content: 'gAAAA' },
]

test.for(items)('the item %j passes', (item) => {
  openaiResponsesRequest.read({ ...base, input: [item] })
  expect(openaiResponsesRequest.forward({ ...base, input: [item] }, DECIDED).input).toEqual([item])
})

test.for([
  [{ type: 'item_reference', id: 'msg_1' }, 'input.0.type', 'store: false'],
  [{ type: 'reasoning', id: 'rs_1', summary: [] }, 'input.0.encrypted_content', 'reasoning.encrypted_content'],
  [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: null }, 'input.0.encrypted_content', 'reasoning.encrypted_content'],
  [{ type: 'compaction', encrypted_content: 'x' }, 'input.0.type', 'send the conversation itself'],
  [{ type: 'compaction_trigger' }, 'input.0.type', 'billed beside'],
  [{ type: 'additional_tools', role: 'developer', tools: [{ type: 'web_search' }] }, 'input.0.type', 'in the field tools'],
  [{ type: 'configuration_update', reasoning: { effort: 'max' } }, 'input.0.type', 'fields of the request'],
  [{ type: 'web_search_call', id: 'ws_1' }, 'input.0.type', 'not offered'],
  [{ type: 'code_interpreter_call', id: 'ci_1' }, 'input.0.type', 'not offered'],
  [{ type: 'file_search_call', id: 'fs_1' }, 'input.0.type', 'not offered'],
  [{ type: 'image_generation_call', id: 'ig_1' }, 'input.0.type', 'not offered'],
  [{ type: 'computer_call_output', call_id: 'c' }, 'input.0.type', 'not offered'],
  [{ type: 'mcp_call', id: 'm' }, 'input.0.type', 'not offered'],
  [{ type: 'program', id: 'p' }, 'input.0.type', 'not offered'],
  [{ type: 'shell_call', call_id: 'c' }, 'input.0.type', 'not offered'],
  [{ type: 'local_shell_call', call_id: 'c' }, 'input.0.type', 'not offered'],
  [{ type: 'apply_patch_call', call_id: 'c' }, 'input.0.type', 'not offered'],
  [{ type: 'dream' }, 'input.0.type', 'must be an item of type'],
  [{ content: 'hi' }, 'input.0.role', 'is missing'],
  [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }, 'input.0.content.0.type', 'send its text'],
  [{ role: 'user', content: [{ type: 'input_audio' }] }, 'input.0.content.0.type', 'audio has prices'],
  [
    { role: 'user', content: [{ type: 'input_image', image_url: 'https://a.example/b.png' }] },
    'input.0.content.0.image_url',
    'only inline',
  ],
  [{ role: 'user', content: [{ type: 'input_image', file_id: 'file-1' }] }, 'input.0.content.0.image_url', 'only inline images'],
  [{ role: 'user', content: [{ type: 'input_image', image_url: PNG, file_id: 'f' }] }, 'input.0.content.0.file_id', 'only inline images'],
  [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_file', file_url: 'u' }] }, 'input.0.output.0.type', 'its text'],
  [
    { type: 'function_call', call_id: 'c', name: 'n', arguments: '{}', caller: { type: 'program', caller_id: 'p' } },
    'input.0.caller.type',
    '"direct"',
  ],
] as const)('the item %j is refused at %s', ([item, param, words]) => {
  const refused = refusalOf(openaiResponsesRequest, { ...base, input: [item] })
  expect(refused.param).toBe(param)
  expect(refused.message).toContain(words)
})

test.for([
  ['file_search', "runs on the vendor's side"],
  ['code_interpreter', "runs on the vendor's side"],
  ['image_generation', "runs on the vendor's side"],
  ['mcp', "runs on the vendor's side"],
  ['tool_search', "runs on the vendor's side"],
  ['programmatic_tool_calling', "runs on the vendor's side"],
  ['shell', 'container'],
  ['local_shell', 'cannot be counted'],
  ['apply_patch', 'cannot be counted'],
  ['computer', 'cannot be counted'],
  ['computer_use_preview', 'cannot be counted'],
  ['WEB_SEARCH', 'must be a tool of type'],
  ['web_search_2031', 'must be a tool of type'],
] as const)('the tool %s is refused beside others, too', ([type, words]) => {
  const refused = refusalOf(openaiResponsesRequest, { ...base, tools: [weather, { type }] })
  expect(refused.param).toBe('tools.1.type')
  expect(refused.message).toContain(words)
})

test.for([
  [{ allowed_callers: ['programmatic'] }, 'tools.0.allowed_callers.0', 'only "direct"'],
  [{ defer_loading: true }, 'tools.0.defer_loading', 'tool search'],
  [{ async: true }, 'tools.0.async', 'not offered'],
] as const)('a function with %j is refused', ([more, param, words]) => {
  const refused = refusalOf(openaiResponsesRequest, { ...base, tools: [{ ...weather, ...more }] })
  expect(refused.param).toBe(param)
  expect(refused.message).toContain(words)
})

test('a web search beside other tools is left out, as Codex needs it', () => {
  const body = {
    model: 'gpt-6-codex',
    instructions: 'You are Codex.',
    input: [items[0], items[7]],
    tools: [
      weather,
      { type: 'custom', name: 'apply_patch', format: { type: 'grammar' } },
      { type: 'web_search', external_web_access: false },
    ],
    tool_choice: 'auto',
    parallel_tool_calls: false,
    reasoning: { effort: 'medium', summary: 'auto' },
    store: false,
    stream: true,
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: 'k',
    text: { verbosity: 'low' },
    client_metadata: { installation: 'i' },
  }
  expect(openaiResponsesRequest.read(body)).toMatchObject({ stream: true, outputAsked: null, cacheWrite: 'automatic' })
  const { client_metadata: _left, ...rest } = body
  expect(openaiResponsesRequest.forward(body, DECIDED)).toEqual({
    ...rest,
    model: 'gpt-6-2026',
    tools: body.tools.slice(0, 2),
    max_output_tokens: 1000,
    service_tier: 'default',
  })
})

test('inline images are found in messages and in what tools answered', () => {
  expect(openaiResponsesRequest.read({ ...base, input: items })).toEqual({
    model: 'gpt-6',
    stream: false,
    usageAsked: true,
    outputAsked: null,
    answers: 1,
    media: [
      { base64: 'iVBORw0KGgo=', tokens: 8_000 },
      { base64: 'iVBORw0KGgo=', tokens: 50_000 },
    ],
    marginTokens: 0,
    cacheWrite: 'automatic',
  })
})

test('what is written to the cache is the dearest that the request can ask for', () => {
  const marked = (ttl?: string) => [
    { role: 'user', content: [{ type: 'input_text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit', ttl } }] },
  ]
  const tool = [{ type: 'function_call_output', call_id: 'c', output: marked('12h')[0]?.content }]
  expect(openaiResponsesRequest.read({ ...base, prompt_cache_options: { ttl: '12h' } }).cacheWrite).toBe('long')
  expect(openaiResponsesRequest.read({ ...base, input: marked() }).cacheWrite).toBe('short')
  expect(openaiResponsesRequest.read({ ...base, input: marked('12h') }).cacheWrite).toBe('long')
  expect(openaiResponsesRequest.read({ ...base, input: tool }).cacheWrite).toBe('long')
})

test('the body for the vendor holds what was listed, what is pinned, and what was decided', () => {
  const body = {
    ...base,
    stream: true,
    stream_options: { include_obfuscation: false },
    store: true,
    max_output_tokens: 20,
    background: false,
  }
  expect(openaiResponsesRequest.forward(body, DECIDED)).toEqual({
    model: 'gpt-6-2026',
    input: 'hi',
    stream: true,
    stream_options: { include_obfuscation: false },
    max_output_tokens: 20,
    store: false,
    service_tier: 'default',
  })
})
