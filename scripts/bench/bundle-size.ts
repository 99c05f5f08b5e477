// Section size: what a deploy uploads.
import { gzipSync } from 'node:zlib'
import type { Bundle } from '../start/bundle.ts'

export interface BundleSize {
  bytes: number
  gzipBytes: number
}

export function measureSize({ contents }: Bundle): BundleSize {
  return { bytes: Buffer.byteLength(contents), gzipBytes: gzipSync(contents, { level: 9 }).length }
}
