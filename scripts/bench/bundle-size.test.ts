// What a deploy uploads, and every cold start has to read, stays small on any machine.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundleWorker } from '../start/bundle.ts'
import { measureSize } from './bundle-size.ts'

test('the Worker is at most 128 KiB, compressed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gateway-bundle-'))
  try {
    const { gzipBytes } = measureSize(await bundleWorker(dir))
    expect(gzipBytes).toBeLessThanOrEqual(128 * 1024)
    expect(gzipBytes).toBeGreaterThan(10 * 1024)
  } finally {
    await rm(dir, { recursive: true })
  }
})
