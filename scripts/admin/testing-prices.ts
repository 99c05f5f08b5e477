// Test support: price lists in files, and what import-prices makes of them.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { TestDatabase } from './testing.ts'

const HEAD = { format: 1, source: 'by hand', version: '7', date: '2026-11-24', licence: 'none' }
export const SOL = {
  vendor: 'openai',
  id: 'gpt-6-sol',
  mode: 'chat',
  input_pico: 2_000_000,
  cached_input_pico: 200_000,
  output_pico: 10_000_000,
  output_max: 128_000,
}
export const HAIKU = {
  vendor: 'anthropic',
  id: 'claude-haiku-5-5',
  mode: 'chat',
  input_pico: 100_000,
  cached_input_pico: 10_000,
  cache_write_pico: 125_000,
  cache_write_long_pico: 200_000,
  output_pico: 500_000,
  above_tokens: 100_000,
  above_input_pico: 500_000,
  above_cached_input_pico: 50_000,
  above_cache_write_pico: 625_000,
  above_cache_write_long_pico: 1_000_000,
  above_output_pico: 2_500_000,
  output_max: 128_000,
}
export const EMBED = { vendor: 'openai', id: 'text-embedding-3-small', mode: 'embedding', input_pico: 20_000, output_pico: 0 }

let files = 0

/** A price list in a file. Returns its name, for --from. */
export async function listFile(t: TestDatabase, content: object | string): Promise<string> {
  const name = `prices-${files++}.json`
  await writeFile(join(t.stateDir, name), typeof content === 'string' ? content : JSON.stringify(content))
  return name
}

export function catalogueFile(t: TestDatabase, ...models: object[]): Promise<string> {
  return listFile(t, { ...HEAD, models })
}

/** Imports a file without asking. Returns what became of each model: 'gpt-6-sol dearer'. */
export async function changes(t: TestDatabase, file: string, ...args: string[]): Promise<string[]> {
  const ran = await t.admin('import-prices', '--from', file, '--yes', '--json', ...args)
  expect(ran.err).toBe('')
  return ran.json<{ models: { model: string; change: string }[] }>().models.map(({ model, change }) => `${model} ${change}`)
}

/** Gives a name to a model of a vendor, in force from now on. */
export async function alias(t: TestDatabase, model: string, upstream: string, upstreamModel: string): Promise<void> {
  const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
  await t.db.all(`INSERT INTO prices (model, upstream, upstream_model, valid_from_ms, created_ms) VALUES (?, ?, ?, ${now}, ${now})`, [
    model,
    upstream,
    upstreamModel,
  ])
}
