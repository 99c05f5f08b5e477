import { InvalidArgumentError } from 'commander'
import { expect, test } from 'vitest'
import { budget, count, countOrNone, date, duration, email, expiry, label, modelOrAll, models, price, tokenPrice } from './arguments.ts'

function refuses(read: (text: string) => unknown, ...texts: string[]): void {
  for (const text of texts) expect(() => read(text), JSON.stringify(text)).toThrow(InvalidArgumentError)
}

const NOT_NUMBERS = ['', ' ', '12abc', '-1', '+1', '1e3', 'NaN', 'Infinity', '0x10', '1,000', '1_000', ' 1', '1 ', '٣', '1.', '.5', '--']

test('counts are plain digits within their bounds', () => {
  expect(count(1, 1_000_000)('60')).toBe(60)
  refuses(count(1, 1_000_000), ...NOT_NUMBERS, '0', '1000001', '1.5', '007', '99999999999999999999')
})

test('a limit can be cleared with "none"', () => {
  expect(countOrNone(1, 10)('none')).toBe('none')
  expect(countOrNone(1, 10)('10')).toBe(10)
  refuses(countOrNone(1, 10), 'None', 'null', '0', '11', '')
})

test('money is read exactly, to the nano-dollar', () => {
  expect(budget('0.000000001')).toBe(1)
  expect(budget('9000000')).toBe(9_000_000_000_000_000)
  expect(budget('8999999.999999999')).toBe(8_999_999_999_999_999)
  expect(price('0.003')).toBe(3_000_000)
  refuses(budget, ...NOT_NUMBERS, '9000000.000000001', '0.0000000001', '$5')
  refuses(price, ...NOT_NUMBERS, '1000.000000001')
})

test('token prices are micro-dollars per million tokens', () => {
  // $0.15 per million tokens = 150,000 pico-dollars a token
  expect(tokenPrice('0.15')).toBe(150_000)
  expect(tokenPrice('10000')).toBe(10_000_000_000)
  refuses(tokenPrice, ...NOT_NUMBERS, '0.0000001', '10000.000001')
})

test('dates have to exist', () => {
  expect(date('2026-11-24')).toBe(Date.UTC(2026, 10, 24) / 86_400_000)
  expect(date('2028-02-29')).toBe(Date.UTC(2028, 1, 29) / 86_400_000)
  refuses(date, '2026-02-29', '2026-02-30', '2026-13-01', '2026-1-1', '26-01-01', '2026-11-24T00:00:00Z', '1969-12-31', 'today', '')
})

test('durations have a unit', () => {
  expect(duration('0')).toBe(0)
  expect(duration('90m')).toBe(5_400_000)
  expect(duration('24h')).toBe(86_400_000)
  expect(duration('7d')).toBe(604_800_000)
  refuses(duration, '24', 'h', '1.5h', '-1h', '1w', '3651d', '')
})

test('an expiry is a time from now, or the last day that is left', () => {
  expect(expiry('30d')).toEqual({ inMs: 2_592_000_000 })
  expect(expiry('2099-12-31')).toEqual({ atMs: Date.UTC(2100, 0, 1) })
  const today = new Date().toISOString().slice(0, 10)
  expect(expiry(today)).toEqual({ atMs: Date.parse(today) + 86_400_000 })
  refuses(expiry, '0d', '2020-01-01', '2099-02-30', 'never', '')
})

test('emails and names are checked', () => {
  expect(email('ada@example.com')).toBe('ada@example.com')
  refuses(email, 'ada', 'ada@', '@example.com', 'a b@example.com', `${'a'.repeat(250)}@example.com`, '')
  expect(label('  Ada Lovelace ')).toBe('Ada Lovelace')
  refuses(label, '', '   ', 'two\nlines', 'esc\u001b[31m', 'x'.repeat(201))
})

test('models are brought to their one spelling, once each', () => {
  expect(models('GEMMA3:270M,gemma3:270m,qwen3')).toEqual(['gemma3:270m', 'qwen3:latest'])
  refuses(models, '', 'a,,b', '*', 'a b', '../x', 'gpt-oss:120b-cloud')
  expect(modelOrAll('*')).toBe('*')
})
