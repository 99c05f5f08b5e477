import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PROJECT_ROOT } from '../start/project.ts'
import { formatPercent, readInvoiceSettings, taxBpOf } from './settings.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'invoice-settings-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function read(text: string) {
  const path = join(directory, 'invoice.json')
  await writeFile(path, text)
  return readInvoiceSettings(path)
}

const least = { issuer: { name: 'A', address: ['B'] }, tax: { percent: 0 } }

test('the example is one that can be used', async () => {
  const settings = await readInvoiceSettings(join(PROJECT_ROOT, 'invoice.example.json'))
  expect(taxBpOf(settings)).toBe(1900)
})

test('what may be left out has a default', async () => {
  expect(await read(JSON.stringify(least))).toEqual({
    issuer: { name: 'A', address: ['B'] },
    tax: { label: 'Tax', percent: 0 },
    currency: 'USD',
    payment: { days: null, terms: [], prepaid_terms: ['Paid in advance, out of your balance.'], prepaid_credit_terms: [] },
    legal: [],
  })
})

test('a rate of tax is read by its digits', async () => {
  for (const [percent, bp, said] of [
    [8.1, 810, '8.1'],
    [20.05, 2005, '20.05'],
    [100, 10_000, '100'],
    [0.07, 7, '0.07'],
  ] as const) {
    expect(taxBpOf(await read(JSON.stringify({ ...least, tax: { percent } })))).toBe(bp)
    expect(formatPercent(bp)).toBe(said)
  }
})

test('what cannot be used is named by its field', async () => {
  await expect(readInvoiceSettings(join(directory, 'none.json'))).rejects.toThrow(/none\.json is missing.*copy invoice\.example\.json/)
  await expect(read('{')).rejects.toThrow('invoice.json is no JSON')
  for (const [wrong, field] of [
    [{ ...least, tax: { percent: 19.001 } }, 'tax.percent: has to be from 0 to 100, with at most two decimals'],
    [{ ...least, tax: { percent: -1 } }, 'tax.percent'],
    [{ ...least, tax: { percent: '19' } }, 'tax.percent'],
    [{ ...least, issuer: { name: '', address: ['B'] } }, 'issuer.name'],
    [{ ...least, issuer: { name: 'A', address: [] } }, 'issuer.address'],
    [{ ...least, issuer: { name: 'A', address: ['B\nC'] } }, 'issuer.address.0: has to be one line'],
    [{ ...least, payment: { days: 1.5 } }, 'payment.days'],
    [{ ...least, Legal: [] }, '"Legal"'],
  ] as const) {
    await expect(read(JSON.stringify(wrong))).rejects.toThrow(field)
  }
})
