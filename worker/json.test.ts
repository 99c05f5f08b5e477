// Bodies that Go and JavaScript read differently, on the recorded examples.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ollamaChat } from './dialects/ollama.ts'
import { openaiChat } from './dialects/openai-chat.ts'
import { parseBody } from './json.ts'
import { CAPTURES, dialectOf } from './testing/captures.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const parse = (text: string) => parseBody(bytes(text), ollamaChat.keys)

test('every recorded body whose keys fold or come twice at the top level is refused', () => {
  const names = [...CAPTURES.keys()].filter((name) => name.startsWith('dupkeys.') && !/inside-|messages-merge/.test(name))
  expect(names.length).toBeGreaterThanOrEqual(7)
  for (const name of names) {
    const capture = CAPTURES.get(name)
    if (typeof capture?.request.body !== 'string') throw new Error(`${name}: the body should be text`)
    const body = capture.request.body
    expect(() => parseBody(bytes(body), dialectOf(capture)?.keys ?? []), name).toThrow(/comes twice|spell it exactly/)
  }
})

test('keys that only look alike pass, and so do doubles further down, of which the last is sent on', () => {
  expect(parse('{"model":"m","Mystery":1,"mystery":2}')).toEqual({ model: 'm', Mystery: 1, mystery: 2 })
  expect(parse('{"options":{"num_predict":3,"num_predict":12}}')).toEqual({ options: { num_predict: 12 } })
})

test('escaped spellings of a key are the key', () => {
  expect(() => parse('{"model":"a","mo\\u0064el":"b"}')).toThrow(/comes twice/)
  expect(() => parse('{"\\u004dodel":"a"}')).toThrow(/spell it exactly/)
})

test('whatever follows the first JSON value is refused', () => {
  expect(() => parse('{"model":"m"} {"model":"n"}')).toThrow(/not valid JSON/)
  expect(() => parse('{"model":"m"}garbage')).toThrow(/not valid JSON/)
})

test.for([
  ['nothing', ''],
  ['a list', '[]'],
  ['a text', '"x"'],
  ['null', 'null'],
  ['cut short', '{"model": "m", "messages": ['],
  ['an open string', '{"model": "m'],
  ['a NUL byte', '{"model": "a\0b"}'],
  ['nested 10,000 deep', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
  ['brackets only', '['.repeat(100_000)],
] as const)('%s is refused as invalid_request', ([, body]) => {
  expect(() => parse(body)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
})

test('more values than a conversation has are refused before any is looked at, a long context is not', () => {
  expect(() => parse(`{"messages":[${'1,'.repeat(60_000)}1]}`)).toThrow(/more than 50000 values/)
  expect(() => parse(`{"messages":[{"content":[${'{},'.repeat(60_000)}{}]}]}`)).toThrow(/more than 50000 values/)
  expect(parse(`{"context":[${'1,'.repeat(130_000)}1]}`).context).toHaveLength(130_001)
})

test('invalid UTF-8 is refused', () => {
  expect(() => parseBody(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), [])).toThrow(/UTF-8/)
})

test('any JSON object without doubtful keys is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (object) => {
      const text = JSON.stringify(object)
      const keys = Object.keys(JSON.parse(text) as object)
      const doubtful = keys.some((key) =>
        openaiChat.keys.some((known) => known !== key && known.toUpperCase() === key.toLowerCase().toUpperCase()),
      )
      if (!doubtful) expect(parseBody(bytes(text), openaiChat.keys)).toEqual(JSON.parse(text))
    }),
  )
})
