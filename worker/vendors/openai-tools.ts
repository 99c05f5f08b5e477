// The tools that OpenAI's dialects may be given: such as run at the client and are wholly in the request, by allow-list.
import * as z from 'zod'
import { isObject } from '../json.ts'
import { typeError } from './field-list.ts'
import { effort, jsonObject, text } from './openai-content.ts'

export const SERVER_SIDE =
  'runs on the vendor\'s side, which is billed beside the tokens and cannot be bounded: use a tool of type "function" or "custom".'
const HIDDEN = 'brings instructions of the vendor\'s that cannot be counted: use a tool of type "function" or "custom".'
/** Why the other types of tool are refused. */
const REFUSED_TOOLS: Readonly<Record<string, string>> = {
  web_search: SERVER_SIDE,
  web_search_preview: SERVER_SIDE,
  file_search: SERVER_SIDE,
  code_interpreter: SERVER_SIDE,
  image_generation: SERVER_SIDE,
  mcp: SERVER_SIDE,
  tool_search: SERVER_SIDE,
  programmatic_tool_calling: SERVER_SIDE,
  shell: 'can run in a container of the vendor\'s, which is billed: use a tool of type "function" or "custom".',
  local_shell: HIDDEN,
  apply_patch: HIDDEN,
  computer: HIDDEN,
  computer_use_preview: HIDDEN,
}
const offered = typeError('a tool of type "function" or "custom"', REFUSED_TOOLS)

/** Calls by programs are the vendor's container at work. */
const callers = z.array(z.literal('direct', 'only "direct" is offered: other callers run on the vendor\'s side.')).nullish()
const never = (words: string) => z.literal(false, words).nullish()
const functionFields = { name: z.string(), description: text, parameters: jsonObject.nullish(), strict: z.boolean().nullish() }
const customFields = { name: z.string(), description: text, format: jsonObject.nullish() }

export const chatTools = z
  .array(
    z.discriminatedUnion(
      'type',
      [
        z.strictObject({ type: z.literal('function'), function: z.strictObject(functionFields) }),
        z.strictObject({ type: z.literal('custom'), custom: z.strictObject(customFields) }),
      ],
      { error: offered },
    ),
  )
  .nullish()

const extra = {
  allowed_callers: callers,
  async: never('is not offered: leave it out.'),
  defer_loading: never('needs tool search, which is not offered: leave it out.'),
}
const functionTool = z.strictObject({ type: z.literal('function'), ...functionFields, output_schema: jsonObject.nullish(), ...extra })
const customTool = z.strictObject({ type: z.literal('custom'), ...customFields, ...extra })
const namespaceTool = z.strictObject({
  type: z.literal('namespace'),
  name: z.string(),
  description: text,
  tools: z.array(z.discriminatedUnion('type', [functionTool, customTool], { error: offered })),
})
const WEB_SEARCHES = ['web_search', 'web_search_2025_08_26', 'web_search_preview', 'web_search_preview_2025_03_11'] as const
const webSearchTool = z.looseObject({ type: z.enum(WEB_SEARCHES) })

/** Left out where other tools are beside it: clients that always send it (Codex does) go on without it. */
export function isWebSearch(tool: unknown): boolean {
  return isObject(tool) && WEB_SEARCHES.some((type) => type === tool.type)
}

export const responsesTools = z
  .array(z.discriminatedUnion('type', [functionTool, customTool, namespaceTool, webSearchTool], { error: offered }))
  .nullish()

const mode = z.enum(['auto', 'required'])
const named = z.strictObject({ name: z.string() })
const choice = z.enum(['none', 'auto', 'required'])
const chatName = z.discriminatedUnion(
  'type',
  [z.strictObject({ type: z.literal('function'), function: named }), z.strictObject({ type: z.literal('custom'), custom: named })],
  { error: offered },
)
const responsesName = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('function'), name: z.string(), namespace: text }),
    z.strictObject({ type: z.literal('custom'), name: z.string(), namespace: text }),
  ],
  { error: offered },
)
const CHOICE = 'must be "none", "auto", "required", or name a tool of type "function" or "custom".'

export const chatToolChoice = z
  .union(
    [
      choice,
      z.discriminatedUnion(
        'type',
        [
          ...chatName.options,
          z.strictObject({ type: z.literal('allowed_tools'), allowed_tools: z.strictObject({ mode, tools: z.array(chatName) }) }),
        ],
        { error: typeError(CHOICE.slice('must be '.length, -1), REFUSED_TOOLS) },
      ),
    ],
    CHOICE,
  )
  .nullish()

export const responsesToolChoice = z
  .union(
    [
      choice,
      z.discriminatedUnion(
        'type',
        [...responsesName.options, z.strictObject({ type: z.literal('allowed_tools'), mode, tools: z.array(responsesName) })],
        { error: typeError(CHOICE.slice('must be '.length, -1), REFUSED_TOOLS) },
      ),
    ],
    CHOICE,
  )
  .nullish()

/** The reasoning of the responses. */
export const reasoning = z
  .strictObject({
    effort,
    summary: text,
    generate_summary: text,
    context: text,
    mode: z.literal('standard', 'only "standard" is offered: what "pro" reads cannot be bounded. Leave it out.').nullish(),
  })
  .nullish()
