import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { creditOf, dueOf, formatAmount, formatCents, taxOf } from './sums.ts'

test('what is below a cent is left over, also where more is given back than was used', () => {
  expect(dueOf(123_456_789n, 0)).toEqual({ netCents: 12n, remainderNano: 3_456_789n, taxCents: 0n, totalCents: 12n })
  expect(dueOf(9_999_999n, 1900)).toEqual({ netCents: 0n, remainderNano: 9_999_999n, taxCents: 0n, totalCents: 0n })
  expect(dueOf(0n, 1900)).toEqual({ netCents: 0n, remainderNano: 0n, taxCents: 0n, totalCents: 0n })
  // −$0.01 and a nano-dollar: two cents are given back, and 9,999,999 nano-dollars of that are owed.
  expect(dueOf(-10_000_001n, 0)).toEqual({ netCents: -2n, remainderNano: 9_999_999n, taxCents: 0n, totalCents: -2n })
})

test('tax is rounded half up once, and a credit takes back as much', () => {
  // $0.50 at 19% = $0.095
  expect([taxOf(50n, 1900), taxOf(-50n, 1900)]).toEqual([10n, -10n])
  // $10.05 at 8.1% = $0.81405, and at 100% and 0%
  expect([taxOf(1005n, 810), taxOf(1005n, 10_000), taxOf(1005n, 0)]).toEqual([81n, 1005n, 0n])
  // Past what a float holds.
  expect(taxOf(900_719_925_474_099_3n, 1900)).toBe(171_136_785_840_078_9n)
})

test('over months every nano-dollar is in a cent or in the last remainder', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), { maxLength: 40 }), (months) => {
      let carried = 0n
      let cents = 0n
      for (const nano of months) {
        const due = dueOf(nano + carried, 1900)
        expect(due.remainderNano >= 0n && due.remainderNano < 10_000_000n).toBe(true)
        carried = due.remainderNano
        cents += due.netCents
      }
      expect(cents * 10_000_000n + carried).toBe(months.reduce((sum, nano) => sum + nano, 0n))
    }),
  )
})

test('credits of all of an invoice take back its tax, in whatever parts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: 1n, max: 100_000n }), { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 0, max: 10_000 }),
      (parts, bp) => {
        let left = parts.reduce((sum, part) => sum + part, 0n)
        const tax = taxOf(left, bp)
        let credited = 0n
        for (const part of parts) {
          const { taxCents, netCents, totalCents } = creditOf(part, left, bp)
          expect(totalCents).toBe(netCents + taxCents)
          expect(taxCents <= 0n).toBe(true)
          left -= part
          credited += taxCents
        }
        expect(credited).toBe(-tax)
      },
    ),
  )
})

test('amounts are written exactly, with two decimals at the least', () => {
  expect([0n, 5n, -50n, 123_456n].map(formatCents)).toEqual(['0.00', '0.05', '-0.50', '1234.56'])
  expect([0n, 500_000_000n, 1_000_000_000n, -1n, 1_230_000_000n].map(formatAmount)).toEqual([
    '0.00',
    '0.50',
    '1.00',
    '-0.000000001',
    '1.23',
  ])
})
