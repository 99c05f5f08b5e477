import { expect, test } from 'vitest'
import { joinNames } from './reconcile-names.ts'

/** Which of the names are one: the names of each model, beside the label it is shown by. */
function models(ledger: string[], vendor: string[]): Record<string, string[]> {
  const names = joinNames(ledger, vendor)
  const found: Record<string, string[]> = {}
  for (const name of new Set([...ledger, ...vendor])) found[names(name)] = [...(found[names(name)] ?? []), name].sort()
  return found
}

test('a name is itself where both have it, and otherwise those that differ by a date', () => {
  expect(models(['gpt-6'], ['gpt-6'])).toEqual({ 'gpt-6': ['gpt-6'] })
  expect(models(['gpt-6'], ['gpt-6-2026-08-01'])).toEqual({ 'gpt-6': ['gpt-6', 'gpt-6-2026-08-01'] })
  expect(models(['claude-haiku-4-5'], ['claude-haiku-4-5-20251001'])).toEqual({
    'claude-haiku-4-5': ['claude-haiku-4-5', 'claude-haiku-4-5-20251001'],
  })
  expect(models(['gpt-6-2026-08-01'], ['gpt-6'])).toEqual({ 'gpt-6': ['gpt-6', 'gpt-6-2026-08-01'] })
})

test('two dates are two models where both sides have them', () => {
  const both = ['gpt-6-2026-04-01', 'gpt-6-2026-08-01']
  expect(models(both, both)).toEqual({ 'gpt-6-2026-04-01': ['gpt-6-2026-04-01'], 'gpt-6-2026-08-01': ['gpt-6-2026-08-01'] })
})

test('a dated name and an undated one that the vendor reports as one are one', () => {
  expect(models(['gpt-6', 'gpt-6-2026-08-01'], ['gpt-6-2026-08-01'])).toEqual({ 'gpt-6': ['gpt-6', 'gpt-6-2026-08-01'] })
  expect(models(['gpt-6'], ['gpt-6-2026-04-01', 'gpt-6-2026-08-01'])).toEqual({
    'gpt-6': ['gpt-6', 'gpt-6-2026-04-01', 'gpt-6-2026-08-01'],
  })
})

test('a name that only begins like another, or ends in other digits, is another model', () => {
  expect(models(['gpt-6'], ['gpt-6-sol'])).toEqual({ 'gpt-6': ['gpt-6'], 'gpt-6-sol': ['gpt-6-sol'] })
  expect(models(['gpt-4'], ['gpt-4-0613'])).toEqual({ 'gpt-4': ['gpt-4'], 'gpt-4-0613': ['gpt-4-0613'] })
})
