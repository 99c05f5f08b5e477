import { expect, test } from 'vitest'
import { csvLine } from './csv.ts'

test('fields are quoted as RFC 4180 has it', () => {
  expect(csvLine(['a', 'b,c', 'd"e', 'f\ng', '', null, 0, -5])).toBe('a,"b,c","d""e","f\ng",,,0,-5\r\n')
})

test('no text is a formula to a spreadsheet', () => {
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1']) expect(csvLine([text])).toMatch(/^"?'/)
  expect(csvLine(['a=1', 'gemma3:270m'])).toBe('a=1,gemma3:270m\r\n')
})
