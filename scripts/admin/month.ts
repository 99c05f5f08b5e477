// A month on the command line: YYYY-MM, in UTC.
import { InvalidArgumentError } from 'commander'
import { DAY_MS } from '../../worker/ledger/periods.ts'

export interface Month {
  /** 2026-06 */
  name: string
  /** Its first and last day, whole days since 1970. */
  first: number
  last: number
}

/** A month that has begun → its days. Throws InvalidArgumentError. */
export function month(text: string): Month {
  const [, year = '', number = ''] = /^((?:19[7-9]|[2-9]\d\d)\d)-(0[1-9]|1[0-2])$/.exec(text) ?? []
  if (year === '') throw new InvalidArgumentError('It has to be a month as YYYY-MM.')
  const first = Date.UTC(Number(year), Number(number) - 1, 1)
  if (first > Date.now()) throw new InvalidArgumentError('It has not begun yet: give a month of the past, or this one.')
  return { name: text, first: first / DAY_MS, last: Date.UTC(Number(year), Number(number), 0) / DAY_MS }
}
