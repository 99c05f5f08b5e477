import { afterAll, beforeAll, expect, test } from 'vitest'
import { deployWorker } from './deploy-worker.ts'
import { ACCESS, HOSTNAME, type TestCloudflare, testCloudflare } from './testing.ts'

let t: TestCloudflare
const said: string[] = []
const deploy = (more: object = {}) =>
  deployWorker({ deployment: t.deployment, plan: 'paid', environment: t.environment, say: (line) => said.push(line), ...more })

beforeAll(async () => {
  t = await testCloudflare()
})
afterAll(() => t.close())

test('the first deploy answers at its public hostname, and meters a request of a customer who was made with --remote', async () => {
  const secrets = { CF_ACCESS_CLIENT_ID: ACCESS.clientId, CF_ACCESS_CLIENT_SECRET: ACCESS.clientSecret }
  const deployed = await deploy({ secrets })
  expect(deployed).toMatchObject({ url: `https://${HOSTNAME}`, previousVersionId: null, plan: 'paid' })
  expect(deployed.migrations).toHaveLength(8)
  const health = await (await t.ask(`https://${HOSTNAME}/health`)).json()
  expect(health).toMatchObject({ database: 'ok', schema: 'ok', deployment: deployed.versionId })

  const { id } = await t.admin<{ id: number }>('create-customer', 'Ada', 'ada@example.com', '--budget', '5')
  const { key } = await t.admin<{ key: string }>('generate-key', String(id))
  await t.admin('set-pricing', '*', '0', '0', '--input', '1', '--output', '2')
  const answer = await t.ask(`https://${HOSTNAME}/api/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'gemma3:270m', messages: [{ role: 'user', content: 'Hi' }], stream: false }),
  })
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('"done":true')])
  await expect.poll(async () => (await t.admin<{ totals: object }>('usage-report', String(id))).totals).toMatchObject({ requests: 1 })
})
