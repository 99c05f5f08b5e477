// The items that OpenAI's responses may be given, by allow-list: such as hold all that the vendor reads of them.
import * as z from 'zod'
import { typeError } from './field-list.ts'
import { cacheBreakpoint, detail, INLINE_IMAGE, imageOf, inlineImage, jsonObject, text } from './openai-content.ts'
import type { VendorAsked } from './vendor-request.ts'

const SERVER_TOOL = "is of a tool on the vendor's side, which is not offered: leave the item out."
const KEPT_STATE =
  "names what the vendor keeps, whose size cannot be counted and which may be another customer's: send the item itself (SDKs do with store: false)."
const REFUSED_ITEMS: Readonly<Record<string, string>> = {
  item_reference: KEPT_STATE,
  compaction: 'holds what cannot be counted: send the conversation itself.',
  compaction_trigger: 'compaction is billed beside the answer and is not offered: leave the item out.',
  additional_tools: 'send tools in the field tools.',
  configuration_update: 'send settings in the fields of the request.',
  file_search_call: SERVER_TOOL,
  web_search_call: SERVER_TOOL,
  code_interpreter_call: SERVER_TOOL,
  image_generation_call: SERVER_TOOL,
  computer_call: SERVER_TOOL,
  computer_call_output: SERVER_TOOL,
  tool_search_call: SERVER_TOOL,
  tool_search_output: SERVER_TOOL,
  mcp_list_tools: SERVER_TOOL,
  mcp_approval_request: SERVER_TOOL,
  mcp_approval_response: SERVER_TOOL,
  mcp_call: SERVER_TOOL,
  program: SERVER_TOOL,
  program_output: SERVER_TOOL,
  shell_call: SERVER_TOOL,
  shell_call_output: SERVER_TOOL,
  local_shell_call: SERVER_TOOL,
  local_shell_call_output: SERVER_TOOL,
  apply_patch_call: SERVER_TOOL,
  apply_patch_call_output: SERVER_TOOL,
}
const NO_FILE = 'what a file holds cannot be bounded: send its text as input_text.'

const inputText = z.strictObject({ type: z.literal('input_text'), text: z.string(), prompt_cache_breakpoint: cacheBreakpoint })
const inputImage = z.strictObject({
  type: z.literal('input_image'),
  image_url: inlineImage,
  detail,
  file_id: z.null(INLINE_IMAGE).optional(),
  prompt_cache_breakpoint: cacheBreakpoint,
})
const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(jsonObject).nullish(),
  logprobs: z.array(jsonObject).nullish(),
})
const refusal = z.strictObject({ type: z.literal('refusal'), refusal: z.string() })
const part = z.discriminatedUnion('type', [inputText, inputImage, outputText, refusal], {
  error: typeError('a part of type "input_text", "input_image", "output_text" or "refusal"', {
    input_file: NO_FILE,
    input_audio: 'audio has prices of its own, which are not offered: use text.',
  }),
})
const content = z.union([z.string(), z.array(part)], 'must be a text or a list of parts.')

const item = { id: text, status: text }
const call = {
  ...item,
  call_id: z.string(),
  namespace: text,
  async: z.boolean().nullish(),
  caller: z.strictObject({ type: z.literal('direct', 'must be "direct": programs run on the vendor\'s side.') }).nullish(),
}

const message = z.strictObject({
  type: z.literal('message').optional(),
  ...item,
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content,
  phase: text,
})
const others = [
  z.strictObject({ type: z.literal('function_call'), ...call, name: z.string(), arguments: z.string() }),
  z.strictObject({ type: z.literal('function_call_output'), ...call, name: text, output: content }),
  z.strictObject({ type: z.literal('custom_tool_call'), ...call, name: z.string(), input: z.string() }),
  z.strictObject({ type: z.literal('custom_tool_call_output'), ...call, name: text, output: content }),
  z.strictObject({
    type: z.literal('reasoning'),
    ...item,
    // Without it the vendor looks for what it has kept under the id.
    encrypted_content: z.string('must be given: ask for include ["reasoning.encrypted_content"], or leave the item out.'),
    summary: z.array(z.looseObject({ type: z.string() })).nullish(),
    content: z.array(z.looseObject({ type: z.string() })).nullish(),
  }),
] as const

/** What says no type is a message. */
export const inputItem = z.discriminatedUnion('type', [message, ...others], {
  error: typeError(
    'an item of type "message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output" or "reasoning"',
    REFUSED_ITEMS,
  ),
})
type InputItem = z.output<typeof inputItem>

/** The inline images of an item, those that a tool answered with included. */
export function imagesOf(each: InputItem): VendorAsked['media'] {
  const parts = 'output' in each ? each.output : 'role' in each ? each.content : ''
  if (typeof parts === 'string') return []
  return parts.flatMap((one) => (one.type === 'input_image' ? [imageOf(one.image_url, one.detail)] : []))
}
