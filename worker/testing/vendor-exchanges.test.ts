// The exchanges with vendors reach tests inside workerd: none go missing in silence.
import { wanted } from 'virtual:vendor-captures'
import { expect, test } from 'vitest'
import { VENDORS } from '../vendors/vendor-request.ts'
import { CAPTURED, FIXTURES } from './vendor-exchanges.ts'

test('the fixtures of both vendors are there', () => {
  for (const vendor of VENDORS) expect(FIXTURES.filter((fixture) => fixture.vendor === vendor).length).toBeGreaterThan(30)
  expect(FIXTURES.find(({ name }) => name === 'openai/chat-json')?.exchange).toMatchObject({ name: 'chat-json', status: 200 })
})

test('the captures are there if they are wanted', () => {
  if (wanted) console.info(`${CAPTURED.length} captured exchanges with vendors`)
  if (wanted) for (const vendor of VENDORS) expect(CAPTURED.some((capture) => capture.vendor === vendor)).toBe(true)
  else expect(CAPTURED).toEqual([])
})
