// A price list's text → a catalogue: our own format, or LiteLLM's, told apart by their shape.
import type * as z from 'zod'
import { type Catalogue, catalogueSchema } from './format.ts'
import { CatalogueError, fromLitellm, type LeftOut } from './litellm.ts'

/** What a list of LiteLLM's does not say of itself. */
type About = Pick<Catalogue, 'version' | 'date'>

const LITELLM = {
  source: 'LiteLLM, litellm/model_prices_and_context_window_backup.json',
  licence: 'MIT, Copyright (c) 2023 Berri AI',
}

/** Throws CatalogueError, whose message names the field and the remedy. */
export function readCatalogue(text: string, about: About = { version: null, date: null }): { catalogue: Catalogue; leftOut: LeftOut[] } {
  const value = parse(text)
  if ('models' in value || 'format' in value) return { catalogue: checked(value), leftOut: [] }
  const { models, leftOut } = fromLitellm(value)
  if (models.length === 0) {
    throw new CatalogueError("holds no model of OpenAI or Anthropic: give a catalogue, or LiteLLM's model_prices_and_context_window.json.")
  }
  return { catalogue: checked({ format: 1, ...LITELLM, ...about, models }), leftOut }
}

function parse(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new CatalogueError("is not JSON: give a catalogue, or LiteLLM's model_prices_and_context_window.json.")
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new CatalogueError('has to be a JSON object with "models", or with a key per model as LiteLLM has it.')
}

function checked(value: Record<string, unknown>): Catalogue {
  const read = catalogueSchema.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new CatalogueError(issue === undefined ? 'is no catalogue.' : explain(value, issue))
}

/** models[3] (gpt-6-sol): input_pico: Invalid input: expected int, received number (1.5). */
function explain(value: Record<string, unknown>, { path, message }: z.core.$ZodIssue): string {
  const [first, index, ...rest] = path
  const at = path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value)
  const given = at === undefined || typeof at === 'object' ? '' : ` (it is ${JSON.stringify(at)})`
  if (first !== 'models' || typeof index !== 'number') return `${path.join('.') || 'the file'}: ${message}${given}.`
  const { id } = ((value.models as unknown[])[index] ?? {}) as { id?: unknown }
  return `models[${index}]${typeof id === 'string' ? ` (${id.slice(0, 128)})` : ''}: ${rest.join('.')}: ${message}${given}.`
}
