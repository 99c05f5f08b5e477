// The tools that Anthropic's messages may be given: such as run at the client, by allow-list.
import * as z from 'zod'
import { isObject } from '../json.ts'
import { cacheControl } from './anthropic-content.ts'

/** The prompt that tools bring: at most 304 tokens above the bytes of the request were measured. */
const TOOLS_TOKENS = 1_024
/** The vendor's own description of one of its tools, which the request does not hold: 245 (bash) to 735 and 499 more (computer) are documented. */
const OWN_TOOL_TOKENS = 2_048

/** The vendor's tools that run at the client, by what their types begin with; a date follows. */
const CLIENT_TOOL = /^(?:text_editor|bash|memory|computer)_\d{8}$/

const SERVER_SIDE =
  'runs on the vendor\'s side, or brings what cannot be counted: use a tool of your own, or one of type "text_editor_…", "bash_…", "memory_…" or "computer_…".'
const NO_SEARCH = 'needs tool search, which is not offered: leave it out.'

const common = {
  name: z.string(),
  cache_control: cacheControl,
  strict: z.boolean().nullish(),
  input_examples: z.array(z.looseObject({})).nullish(),
  defer_loading: z.literal(false, NO_SEARCH).nullish(),
  allowed_callers: z.array(z.literal('direct', 'only "direct" is offered: other callers run on the vendor\'s side.')).nullish(),
}
const ownTool = z.strictObject({
  ...common,
  type: z.literal('custom').nullish(),
  description: z.string().nullish(),
  input_schema: z.looseObject({}),
  eager_input_streaming: z.boolean().nullish(),
})
const clientTool = z.strictObject({
  ...common,
  type: z.string().regex(CLIENT_TOOL),
  max_characters: z.int().nullish(),
  display_width_px: z.int().nullish(),
  display_height_px: z.int().nullish(),
  display_number: z.int().nullish(),
  enable_zoom: z.boolean().nullish(),
})

const isOwn = (tool: unknown) => isObject(tool) && (tool.type == null || tool.type === 'custom')

/** Checked by its type first, so that what is said of a tool is said of the one that was meant. */
const tool = z.looseObject({ type: z.string().nullish() }).transform((value, context): z.output<typeof ownTool | typeof clientTool> => {
  const own = isOwn(value)
  if (!own && !CLIENT_TOOL.test(value.type ?? '')) {
    context.addIssue({ code: 'custom', path: ['type'], message: SERVER_SIDE })
    return z.NEVER
  }
  const result = (own ? ownTool : clientTool).safeParse(value)
  if (result.success) return result.data
  for (const issue of result.error.issues) context.addIssue({ ...issue } as Parameters<typeof context.addIssue>[0])
  return z.NEVER
})

export const tools = z.array(tool).nullish()

const parallel = { disable_parallel_tool_use: z.boolean().nullish() }
export const toolChoice = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.enum(['auto', 'any']), ...parallel }),
      z.strictObject({ type: z.literal('tool'), name: z.string(), ...parallel }),
      z.strictObject({ type: z.literal('none') }),
    ],
    { error: 'must be "auto", "any", "tool" or "none".' },
  )
  .nullish()

/** Tokens at most that the vendor adds for tools. */
export function toolTokens(list: z.output<typeof tools>): number {
  if (list == null || list.length === 0) return 0
  return TOOLS_TOKENS + OWN_TOOL_TOKENS * list.filter((each) => !isOwn(each)).length
}
