// Keys: a checksum tells a mistyped one without asking the database.
import { expect, test } from 'vitest'
import { readKeyHash } from './auth.ts'
import { keyHash, newKey } from './keys.ts'

test('a new key is well-formed, and its hash is what is stored', async () => {
  const { key, hash, prefix } = newKey()
  expect(key).toMatch(/^sk_[0-9a-f]{56}$/)
  expect(keyHash(key)).toBe(hash)
  expect(key.startsWith(prefix) && prefix.length === 9).toBe(true)
})

test('a key with any digit changed is refused', async () => {
  const { key } = newKey()
  for (let at = 3; at < key.length; at++) {
    const other = key[at] === '0' ? '1' : '0'
    expect(keyHash(key.slice(0, at) + other + key.slice(at + 1))).toBeNull()
  }
  for (const wrong of ['', 'sk_', key.slice(0, -1), `${key}0`, key.toUpperCase(), ` ${key}`]) expect(keyHash(wrong)).toBeNull()
})

test('the key is taken from either header, and two different ones from neither', async () => {
  const [one, other] = [newKey(), newKey()]
  const from = (headers: Record<string, string>) => readKeyHash(new Headers(headers))
  expect(await from({ authorization: `Bearer ${one.key}` })).toBe(one.hash)
  expect(await from({ authorization: `bearer  ${one.key} ` })).toBe(one.hash)
  expect(await from({ 'x-api-key': one.key })).toBe(one.hash)
  expect(await from({ 'x-api-key': one.key, authorization: `Bearer ${one.key}` })).toBe(one.hash)
  for (const headers of [
    {},
    { authorization: one.key },
    { authorization: `Basic ${one.key}` },
    { authorization: 'Bearer' },
    { authorization: "Bearer ' OR 1=1 --" },
    { 'x-api-key': other.key, authorization: `Bearer ${one.key}` },
  ] as Record<string, string>[]) {
    await expect(from(headers)).rejects.toMatchObject({ code: 'invalid_api_key' })
  }
})
