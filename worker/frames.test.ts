// Frames of the recorded answers, whatever pieces they come in.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { concat, type Frame, FrameSplitter, type Framing } from './frames.ts'
import { bodyBytes, CAPTURES, dialectOf, isStreamed } from './testing/captures.ts'

function split(framing: Framing, pieces: Uint8Array[], maxBytes?: number): Frame[] {
  const splitter = new FrameSplitter(framing, maxBytes)
  const frames = pieces.flatMap((piece) => splitter.push(piece))
  const rest = splitter.rest()
  return rest === null ? frames : [...frames, rest]
}

const bytes = (text: string) => new TextEncoder().encode(text)
const data = (frames: Frame[]) => frames.map((frame) => frame.data)

test('every recorded stream gives the same frames at one byte a piece as at once', () => {
  let streams = 0
  for (const capture of CAPTURES.values()) {
    const framing = dialectOf(capture)?.framing
    if (!isStreamed(capture) || framing == null) continue
    streams++
    const whole = bodyBytes(capture)
    const single = split(
      framing,
      Array.from(whole, (byte) => Uint8Array.of(byte)),
    )
    expect(data(single)).toEqual(data(split(framing, [whole])))
    expect(concat(...single.map((frame) => frame.bytes))).toEqual(whole)
  }
  expect(streams).toBeGreaterThan(50)
})

test('pieces cut anywhere give the same frames and lose no byte', () => {
  const frame = fc.oneof(
    fc.json().map((json) => ['ndjson', `${json}\n`] as const),
    fc.json().map((json) => ['sse', `event: x\ndata: ${json}\n\n`] as const),
    fc.json().map((json) => ['sse', `data: ${json}\r\n\r\n`] as const),
    fc.constant(['sse', ': ping\n\n'] as const),
  )
  fc.assert(
    fc.property(fc.constantFrom<Framing>('ndjson', 'sse'), fc.array(frame), fc.array(fc.nat(50)), (framing, frames, cuts) => {
      const text = frames.flatMap(([kind, each]) => (kind === framing ? [each] : []))
      const whole = bytes(text.join(''))
      const pieces: Uint8Array[] = []
      let at = 0
      for (const cut of cuts) {
        pieces.push(whole.subarray(at, at + cut))
        at += cut
      }
      pieces.push(whole.subarray(at))
      const got = split(framing, pieces)
      expect(got).toHaveLength(text.length)
      expect(concat(...got.map((each) => each.bytes))).toEqual(whole)
    }),
  )
})

test('an event of several data lines is joined, and a comment has no data', () => {
  expect(data(split('sse', [bytes('data: {"a":\ndata: 1}\n\n: ping\n\ndata:[DONE]\n\n')]))).toEqual(['{"a":\n1}', null, '[DONE]'])
})

test('a frame past the bound is passed on unread, and the next one is read again', () => {
  const frames = split('ndjson', [bytes('x'.repeat(60)), bytes('x'.repeat(60)), bytes('end\n{"a":1}\n')], 100)
  expect(data(frames)).toEqual([null, null, '{"a":1}'])
  expect(concat(...frames.map((frame) => frame.bytes))).toEqual(bytes(`${'x'.repeat(120)}end\n{"a":1}\n`))
})
