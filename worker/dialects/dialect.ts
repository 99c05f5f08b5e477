// A dialect is a record of pure functions: how to read a request, how to write it for the host, how to see usage in a frame, how to word the end.
import * as z from 'zod'
import { type Family, GatewayError } from '../errors.ts'
import type { Framing } from '../frames.ts'
import { isObject, type JsonObject, refuseAmbiguous } from '../json.ts'
import type { Seen } from '../seen.ts'

/** What a request asks for, as far as prices and limits go. */
export interface Asked {
  /** As the caller spelled it. */
  model: string
  stream: boolean
  /** null: nothing was said. 0: the request has no output. */
  outputAsked: number | null
  /** How often the host runs the model for it. */
  runs: number
  /** Inline images and the like, base64: bytes that are not tokens. */
  images: string[]
  /** The caller wants the usage that the gateway asks for in any case. */
  usageAsked: boolean
  /** Texts that are embedded, where that is all there is to read. */
  texts?: string[]
  /** Set for what is answered without the host: a request that would only load a model. */
  answer?: JsonObject
}

/** What a request for embeddings asks for: no output, and nothing to read but its texts. */
export function askedToEmbed(model: string, texts: string | string[]): Asked {
  return { model, stream: false, outputAsked: 0, runs: 1, images: [], usageAsked: true, texts: [texts].flat() }
}

/** A frame's JSON, or the text `[DONE]`. */
export type FrameValue = JsonObject | '[DONE]'

/** How an answer comes: what is read of it, and what is done to it. */
export interface Wire {
  /** As the ledger names the dialect. */
  name: string
  family: Family
  /** How it is streamed; null: one JSON value, never a stream. */
  framing: Framing | null
  /** Takes from a frame what there is to see. */
  observe(frame: FrameValue, seen: Seen): void
  /** What becomes of a frame for a caller who had not asked for usage: itself, another one, or nothing. */
  withoutUsage?(frame: FrameValue): FrameValue | null
  /** The one JSON value that the host would have answered in place of these frames. */
  aggregate?(frames: readonly FrameValue[]): JsonObject
}

/** A dialect as the host speaks it. */
export interface Dialect extends Wire {
  /** Here and on the host. */
  path: string
  /** What the host's decoder looks for at the top level. */
  keys: readonly string[]
  /** The request's shape, as far as the gateway looks at it. */
  schema: z.ZodType<JsonObject>
  /** Throws invalid_request. */
  read(body: JsonObject): Asked
  /** The body for the host: what was asked, with what the gateway decides put in its place. */
  forward(body: JsonObject, model: string, outputLimit: number): JsonObject
}

/** Fields that are the owner's to decide: what stays loaded, how it is loaded, and what shows the prompt unmetered. */
export const OWNERS_FIELDS = ['keep_alive', 'shift', '_debug_render_only'] as const

export function without(body: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !fields.includes(key)))
}

/** A schema for a control value that must be a positive whole number: the host takes 0 and −1 for "without end". */
export const positive = z
  .int('must be a positive whole number; leave it out for the default')
  .min(1, 'must be a positive whole number; leave it out for the default')
export const flag = z.boolean().nullish()

/** Reads a body by a schema. Throws invalid_request that names the field. */
export function readAs<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const issue = result.error.issues[0] as z.core.$ZodIssue
  const param = issue.path.join('.')
  throw new GatewayError('invalid_request', `${param === '' ? '' : `${param}: `}${remedy(issue, body)}`, { param })
}

const NOUNS: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

/** What to send instead: the schema's own words where it has some, else the kind of value that belongs there. */
function remedy(issue: z.core.$ZodIssue, body: unknown): string {
  const missing = issue.path.reduce<unknown>((value, key) => (value as JsonObject | undefined)?.[key as string], body) === undefined
  const words =
    issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')
      ? `must be ${NOUNS[issue.expected] ?? issue.expected}`
      : issue.message
  return missing ? `is missing: ${words.replace(/^must be/, 'it must be')}` : words
}

/** Refuses an object in which Go could read another `known` key than JavaScript does. Throws invalid_request. */
export function checkKeys(value: unknown, known: readonly string[], where: string): void {
  if (isObject(value)) refuseAmbiguous(Object.keys(value), known, `${where}.`)
}

/** Tools that the host would run on its owner's account: web_search and its kin. */
function isServerTool(tool: unknown): boolean {
  return isObject(tool) && typeof tool.type === 'string' && /^web_/i.test(tool.type)
}

/** Refuses a request for nothing but tools that the host would run on its owner's account, and spellings that hide one. Throws invalid_request. */
export function checkTools(tools: readonly JsonObject[] | null | undefined): void {
  if (tools == null || tools.length === 0) return
  for (const [index, tool] of tools.entries()) refuseAmbiguous(Object.keys(tool), ['type', 'name'], `tools.${index}.`)
  if (!tools.every(isServerTool)) return
  throw new GatewayError(
    'invalid_request',
    `tools.0.type: "${String(tools[0]?.type).slice(0, 64)}" runs on the host's side and is not offered: use a function tool.`,
    {
      param: 'tools.0.type',
    },
  )
}

/** The body without such tools: clients that send one beside their own (Codex does) go on without it. */
export function withoutServerTools(body: JsonObject): JsonObject {
  return Array.isArray(body.tools) ? { ...body, tools: body.tools.filter((tool) => !isServerTool(tool)) } : body
}
