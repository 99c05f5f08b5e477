// Checks a request against a vendor's closed list of fields, and builds the body that the vendor gets from it.
import * as z from 'zod'
import { without } from '../dialects/dialect.ts'
import { GatewayError } from '../errors.ts'
import { isObject, type JsonObject, refuseAmbiguous } from '../json.ts'
import type { FieldList } from './vendor-request.ts'

const NAME_CHARS = 64

/** A reader of what passes. It throws invalid_request that names the field, why it is refused, and the remedy. */
export function fieldReader<P extends z.ZodRawShape>(list: FieldList & { passed: P }): (body: JsonObject) => z.output<z.ZodObject<P>> {
  const passed = z.object(list.passed)
  const taken = z.object(list.taken ?? {})
  const known = fieldsOf(list)
  return function readFields(body) {
    refuseAmbiguous(Object.keys(body), known)
    for (const [field, value] of Object.entries(body)) {
      if (Object.hasOwn(list.refused, field) && !asksForNothing(value)) throw refusal([field], `${list.refused[field]}`)
      if (!known.includes(field)) throw refusal([field], UNKNOWN)
    }
    check(taken, body)
    return check(passed, body)
  }
}

/** Every field that the list has a word on. */
function fieldsOf(list: FieldList): string[] {
  return [...new Set([list.passed, list.pinned, list.refused, list.taken ?? {}].flatMap((part) => Object.keys(part)))]
}

/** The vendor's body: what passes and was said, what is pinned, and what the gateway decides. A null says what leaving out says. */
export function vendorBody(list: FieldList, body: JsonObject, decided: JsonObject, instead: readonly string[] = []): JsonObject {
  const said = Object.entries(without(body, instead)).filter(([field, value]) => value !== null && Object.hasOwn(list.passed, field))
  return { ...Object.fromEntries(said), ...list.pinned, ...decided }
}

/** The limit that is sent: never above what was asked. */
export function limitWithin(asked: unknown, outputLimit: number): number {
  return typeof asked === 'number' ? Math.min(asked, outputLimit) : outputLimit
}

/** A request that is refused for the field at `path`. */
export function refusal(path: readonly PropertyKey[], words: string): GatewayError {
  const param = path.map((key) => (key === '' ? '""' : String(key).slice(0, NAME_CHARS))).join('.')
  return new GatewayError('invalid_request', `${param}: ${words}`, { param })
}

/** Words for a `type` that is in no allow-list: the reason, where there is one, else what is offered. */
export function typeError(offered: string, reasons: Readonly<Record<string, string>>): (issue: { input?: unknown }) => string {
  return (issue) => {
    const type = isObject(issue.input) ? issue.input.type : undefined
    const reason = typeof type === 'string' && Object.hasOwn(reasons, type) ? reasons[type] : undefined
    return reason ?? `must be ${offered}.`
  }
}

const UNKNOWN = 'is no field that is offered here: leave it out.'

function asksForNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return value === null || value === false || (isObject(value) && Object.keys(value).length === 0)
}

function check<T>(schema: z.ZodType<T>, body: JsonObject): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const { issue, path } = deepest(result.error.issues)
  const known = issue.code === 'unrecognized_keys' ? [...path, issue.keys[0] ?? ''] : path
  throw refusal(known, wordsFor(issue, valueAt(body, known) === undefined))
}

interface Found {
  issue: z.core.$ZodIssue
  path: PropertyKey[]
}

/** Of a union's alternatives the one that got furthest is the one that was meant; where none got further, the union has its own words. */
function deepest(issues: readonly z.core.$ZodIssue[], above: readonly PropertyKey[] = []): Found {
  const found = issues.map((issue) => {
    const here: Found = { issue, path: [...above, ...issue.path] }
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return here
    const inner = deepest(issue.errors.flat(), here.path)
    const further = inner.path.length > here.path.length || inner.issue.code === 'unrecognized_keys'
    return further ? inner : here
  })
  return found.reduce((best, next) => (next.path.length > best.path.length ? next : best))
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    return (value as Record<PropertyKey, unknown>)[key]
  }, body)
}

const NOUNS: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/** The schema's own words where it has some, else what belongs there, as far as the issue tells. */
function wordsFor(issue: z.core.$ZodIssue, missing: boolean): string {
  const words = /^(Invalid|Too |Unrecognized)/.test(issue.message) ? plainWords(issue) : issue.message
  return missing ? `is missing: ${words.replace(/^must be/, 'it must be')}` : words
}

function plainWords(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return UNKNOWN
    case 'invalid_type':
      return `must be ${NOUNS[issue.expected] ?? issue.expected}.`
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map((value) => JSON.stringify(value)).join(', ')}.`
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int' ? `must be at least ${issue.minimum}.` : 'must not be empty.'
    case 'too_big':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `must be at most ${issue.maximum}.`
        : `must hold at most ${issue.maximum}.`
    default:
      return 'has a value that is not offered here: leave it out.'
  }
}
