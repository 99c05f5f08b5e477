// Bundles the Worker exactly as a deploy would: wrangler does it, and keeps the result instead of uploading it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { PROJECT_ROOT } from './project.ts'

export interface Bundle {
  path: string
  contents: string
}

/** Bundles worker/index.ts, or another entry, into `outDir`. Throws with wrangler's own words where it cannot. */
export async function bundleWorker(outDir: string, entry = 'worker/index.ts'): Promise<Bundle> {
  await runWrangler(['deploy', entry, '--dry-run', '--outdir', outDir])
  const path = join(outDir, `${parse(entry).name}.js`)
  return { path, contents: await readFile(path, 'utf8') }
}

async function runWrangler(args: string[]): Promise<void> {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'node_modules/wrangler/bin/wrangler.js'), ...args], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: '1', NO_COLOR: '1', WRANGLER_HIDE_BANNER: 'true', WRANGLER_SEND_METRICS: 'false' },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`The Worker could not be bundled:\n${said.trim()}`)
}
