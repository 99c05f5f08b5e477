// What a vendor's error becomes, and that it never says who the operator is.
import { expect, test } from 'vitest'
import { vendorRefusal } from './vendor-refusal.ts'

const ASKER = { requestId: 'r', model: 'gpt-x' }
const refused = (error: Partial<Parameters<typeof vendorRefusal>[1]>) =>
  vendorRefusal('openai', { status: 400, code: '', message: 'm', ...error }, ASKER)

test.for([
  ['Limit for gpt-4.1 in organization org-abc123 on tokens', /org-abc123/],
  ['Limit in organization: Acme on tokens', /Acme/],
  ['Project proj_a1b2c3d4 has no access', /proj_a1b2c3d4/],
  ['Incorrect API key provided: sk-pro**********wxyz', /wxyz/],
  ['See https://platform.openai.com/account/limits and workspace "W1"', /platform\.openai|W1/],
  ['user-Ab12Cd34 may not', /Ab12Cd34/],
] as const)('%s: the caller is not told whose account it is', ([message, secret]) => {
  expect(refused({ message }).message).not.toMatch(secret)
})

test('the vendor’s words about the request stay as they are', () => {
  const message = "user_location: must be an object; 'messages.0' is too long (maximum context length is 8,192 tokens)"
  expect(refused({ message, param: 'user_location' })).toMatchObject({
    code: 'invalid_request',
    message,
    details: { param: 'user_location' },
  })
})

test('an error within an answer that is about the request is the caller’s mistake', () => {
  expect(refused({ status: 200, code: 'context_length_exceeded' }).code).toBe('invalid_request')
  expect(refused({ status: 200, code: 'invalid_request_error' }).code).toBe('invalid_request')
  expect(refused({ status: 200, code: 'invalid_api_key' }).code).toBe('upstream_error')
  expect(refused({ status: 200, code: 'server_error' }).code).toBe('upstream_error')
})

test('how long to wait is the vendor’s word, within an hour, and two seconds where it says nothing', () => {
  const wait = (retryAfterSeconds?: number) => refused({ status: 429, retryAfterSeconds }).details.retryAfterSeconds
  expect([wait(), wait(0.2), wait(17.5), wait(1e9)]).toEqual([2, 1, 18, 3600])
})
