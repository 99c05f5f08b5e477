// The stand-in of Cloudflare as a command: what it is asked for, and what it cannot use.
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { PROJECT_ROOT } from '../../scripts/start/project.ts'
import { readArguments } from './arguments.ts'

function ran(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['e2e/cloudflare/main.ts', ...args], {
    cwd: PROJECT_ROOT,
    encoding: 'utf8',
  })
  return [status, stdout, stderr]
}

test('--help shows the options, and what cannot be used is one line', { timeout: 60_000 }, () => {
  expect(ran('--help')).toEqual([0, expect.stringMatching(/^Usage: [\s\S]*--edge-port PORT/), ''])
  expect(ran('--prot', '1')).toEqual([2, '', expect.stringMatching(/^Unknown option '--prot'.*\n$/)])
})

test('every argument is looked at', () => {
  expect(readArguments(['--plan', 'paid', '--zone', 'a.example', '--port', '0'])).toEqual({
    ...{ port: 0, edgePort: 8791, zone: 'a.example', plan: 'paid' },
  })
  for (const args of [['--port', 'x'], ['--edge-port', '65536'], ['--plan', 'pro'], ['--zone', 'a b'], ['more']])
    expect(() => readArguments(args)).toThrow(args[0])
})
