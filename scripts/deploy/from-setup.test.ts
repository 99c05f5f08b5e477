import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addSecrets } from '../setup/secrets-file.ts'
import { deployFromSetup } from './from-setup.ts'
import { ACCESS, HOSTNAME, type TestCloudflare, testCloudflare } from './testing.ts'

let t: TestCloudflare
beforeAll(async () => {
  t = await testCloudflare('free')
})
afterAll(() => t.close())

test('set-up deploys with the secrets it has put aside, on the plan that was asked for, and is told what fails', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'from-setup-'))
  await addSecrets(directory, { CF_ACCESS_CLIENT_ID: ACCESS.clientId, CF_ACCESS_CLIENT_SECRET: ACCESS.clientSecret })
  const said: string[] = []
  const world = { directory, environment: t.environment, say: (line: string) => void said.push(line), signal: new AbortController().signal }
  const { plan: _, ...deployment } = t.deployment
  await expect(deployFromSetup(world)({ ...deployment }, 'paid')).rejects.toThrow(
    /free plan[\s\S]*\nSet-up asks for the plan again: answer no\. Run npm run setup again: it goes on where it stopped\.$/,
  )
  await deployFromSetup(world)({ ...deployment }, 'free')
  expect(await (await t.ask(`https://${HOSTNAME}/health/ollama`)).json()).toMatchObject({ state: 'ok' })
  expect(said.join('\n')).not.toContain(ACCESS.clientSecret)
})
