// Many spellings, one model: on the recorded names and on any that can be made up.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isObject } from './json.ts'
import { canonicalModel, isCloudModel } from './model-name.ts'
import { CAPTURES } from './testing/captures.ts'

test('every recorded spelling that ran the model is that model', () => {
  const ran = [...CAPTURES].filter(
    ([name, capture]) => name.startsWith('modelname.') && capture.request.method === 'POST' && capture.response?.status === 200,
  )
  expect(ran.length).toBeGreaterThanOrEqual(9)
  for (const [name, { request }] of ran) {
    const asked = isObject(request.body) ? String(request.body.model) : ''
    expect([name, canonicalModel(asked)]).toEqual([name, /chat-small/.test(asked) ? 'chat-small:latest' : 'gemma3:270m'])
  }
})

test.for([
  '',
  ' ',
  '../library/gemma3:270m',
  'a..b',
  'a/b/c/d',
  'x:y:z',
  'a b',
  'gemma3:270m\0',
  'ÄÖ',
  ':latest',
  '/x',
  'x/',
  'x'.repeat(300),
])('"%s" is no name', (name) => expect(canonicalModel(name)).toBeNull())

test('names of other namespaces and registries keep them', () => {
  expect(canonicalModel('HF.co/Some/Model:Q4_K_M')).toBe('hf.co/some/model:q4_k_m')
  expect(canonicalModel('some/model')).toBe('some/model:latest')
  expect(canonicalModel('localhost:5000/some/model')).toBe('localhost:5000/some/model:latest')
})

test('a canonical name is its own canonical name, however it is dressed', () => {
  const part = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,8}[a-z0-9]$/).filter((text) => !text.includes('..'))
  const tag = part.filter((text) => text !== 'local')
  fc.assert(
    fc.property(
      part,
      tag,
      fc.constantFrom('', 'library/', 'registry.ollama.ai/library/', 'https://registry.ollama.ai/library/'),
      fc.boolean(),
      (name, tag, before, loud) => {
        const plain = `${name}:${tag}`
        const dressed = ` ${before}${loud ? plain.toUpperCase() : plain}`
        expect(canonicalModel(dressed)).toBe(plain)
        expect(canonicalModel(canonicalModel(dressed) ?? '')).toBe(plain)
      },
    ),
  )
})

test('cloud models are known by their tag', () => {
  expect(['gemma3:270m-cloud', 'gemma3:cloud'].map(isCloudModel)).toEqual([true, true])
  expect(['gemma3:270m', 'cloud:latest', 'cloudy:7b'].map(isCloudModel)).toEqual([false, false, false])
})
