// The commands as processes: what only a real standard input, a real reader and a real signal can show.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startVendor, type VendorServer } from '../../e2e/vendors/server.ts'
import { PROJECT_ROOT } from '../start/project.ts'

let folder: string
let vendor: VendorServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-terminal-'))
  vendor = await startVendor('anthropic', { apiKey: ['sk-ant-another-key-than-that'] })
})
afterAll(async () => {
  await vendor.close()
  await rm(folder, { recursive: true, force: true })
})

interface Doing {
  input?: string
  /** How much of its output is read. */
  lines?: number
  /** What it has to have said before it is sent SIGINT, which standard input waits for, too. */
  stopAt?: string
}

/** Node with these arguments, in this project. */
async function ranNode(args: string[], { input = '', lines = Number.POSITIVE_INFINITY, stopAt }: Doing = {}) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, STATE_DIR: folder, ANTHROPIC_BASE_URL: vendor.url, NO_COLOR: '1' },
    stdio: 'pipe',
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
    if (said.out.split('\n').length > lines) child.stdout.destroy()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
    if (stopAt !== undefined && said.err.includes(stopAt) && !child.killed) child.kill('SIGINT')
  })
  child.stdin.on('error', () => {})
  if (stopAt === undefined) child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...said }
}

/** A script of this project. */
function ran(script: string, args: string[], doing?: Doing) {
  return ranNode([join('scripts', script), ...args], doing)
}

test('a key comes by standard input', { timeout: 60_000 }, async () => {
  const { code, err } = await ran('admin.ts', ['rotate-provider-key', 'anthropic'], { input: 'sk-ant-nobody-has-this-one-at-all\n' })
  expect([code, err]).toEqual([1, expect.stringMatching(/Anthropic does not know this key \(401\).*Nothing was changed/)])
  expect(await ran('admin.ts', ['rotate-provider-key', 'anthropic'])).toMatchObject({
    code: 2,
    err: 'error: Give the new key with --key-file FILE, or on standard input.\n',
  })
})

test('who has read enough ends it without a word', { timeout: 60_000 }, async () => {
  const { code, err } = await ran('doctor.ts', ['--local'], { lines: 1 })
  expect([code, err]).toEqual([0, ''])
})

test('Ctrl-C at a question is told from a no', { timeout: 60_000 }, async () => {
  // Standard input is no terminal here, so the person is put in its place.
  const script = `import { runAdmin } from './scripts/admin/program.ts'
import { askYesOrNo } from './scripts/admin/questions.ts'
import { terminalIo } from './scripts/admin/terminal-io.ts'
process.exitCode = await runAdmin(['revoke-key', '1'], { ...terminalIo(), ask: askYesOrNo })`
  const asked = (doing: Doing) => ranNode(['--input-type=module-typescript', '-e', script], doing)
  expect(await asked({ stopAt: '[y/N]' })).toMatchObject({
    code: 130,
    err: expect.stringMatching(/error: stopped: nothing was changed\.\n$/),
  })
  for (const input of ['n\n', ''])
    expect(await asked({ input })).toMatchObject({ code: 1, err: expect.stringMatching(/error: not confirmed: nothing was changed\.\n$/) })
})
