import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Deployment, readDeployment, writeDeployment } from './deployment.ts'

const HALF: Deployment = {
  accountId: 'a1',
  worker: 'ollama-edge-gateway',
  public: { kind: 'domain', hostname: 'api.example.com', zoneId: 'z1', zoneName: 'example.com' },
  host: { kind: 'access', hostname: 'ollama.example.com', serviceTokens: [] },
}

it('keeps what was done, and leaves no half a file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'deployment-'))
  expect(await readDeployment(directory)).toBeNull()
  await writeDeployment(directory, HALF)
  await writeDeployment(directory, { ...HALF, tunnel: { id: 't1', name: 'box' } })
  expect(await readDeployment(directory)).toEqual({ ...HALF, tunnel: { id: 't1', name: 'box' } })
  expect(await readdir(directory)).toEqual(['deployment.json'])
})

it('names what is wrong in it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'deployment-'))
  await writeFile(join(directory, 'deployment.json'), '{')
  await expect(readDeployment(directory)).rejects.toThrow(/deployment\.json is not JSON\. Mend it, or move it away/)
  await writeFile(join(directory, 'deployment.json'), JSON.stringify({ ...HALF, clientSecret: 'x' }))
  await expect(readDeployment(directory)).rejects.toThrow(/deployment\.json: .*clientSecret/)
})
