import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDecimal } from '../../worker/money.ts'
import { nanoOf, pagesOf } from './vendor-json.ts'

test('money is read by its digits, and rounded to the nearest nano-dollar', () => {
  const cases: [string, number, bigint | null][] = [
    ['0.06', 9, 60_000_000n],
    ['123.78912', 7, 1_237_891_200n],
    ['1.2e-05', 9, 12_000n],
    ['12E+1', 9, 120_000_000_000n],
    ['-0.25', 9, -250_000_000n],
    ['0.0000000005', 9, 1n],
    ['0.00000000049999', 9, 0n],
    ['-0.0000000005', 9, -1n],
    ['0.1000000005000000000000001', 9, 100_000_001n],
    ['9007199254740993.000000001', 9, 9_007_199_254_740_993_000_000_001n],
    ['', 9, null],
    ['1,5', 9, null],
    ['$1', 9, null],
    ['1e999', 9, null],
    ['NaN', 9, null],
  ]
  for (const [text, decimals, nano] of cases) expect([text, nanoOf(text, decimals)]).toEqual([text, nano])
})

test('every amount of nano-dollars survives being written', () => {
  fc.assert(fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (nano) => nanoOf(formatDecimal(nano, 9), 9) === nano))
})

test('one page, a list of pages, pages one a line and pages one after the other are the same pages', () => {
  const pages = [{ a: 1, text: 'brackets ]}{[ and \\" quotes"' }, { a: { b: [[]] } }]
  const names = (text: string) => pagesOf(text, 'f').map(({ path, value }) => [path, Object.keys(value as object)])
  const [first, second] = pages.map((page) => JSON.stringify(page))
  const expected = [
    ['page 1', ['a', 'text']],
    ['page 2', ['a']],
  ]
  for (const text of [
    JSON.stringify(pages),
    `${first}\n${second}\n`,
    `${first}${second}`,
    pages.map((page) => JSON.stringify(page, null, 2)).join('\r\n'),
  ]) {
    expect(names(text)).toEqual(expected)
  }
  expect(names(first ?? '')).toEqual([expected[0]])
})
