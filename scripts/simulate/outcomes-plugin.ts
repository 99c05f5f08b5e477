// Gives tests inside workerd what the simulation came to on SQLite in Node, as a module: the same schedules have to come to the same on D1.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Plugin } from 'vitest/config'

const NAME = 'virtual:simulated'
const SCRIPT = join(import.meta.dirname, '..', 'simulate.ts')

/** The module's default export is an Outcome for each of the first `seeds` seeds. */
export function simulatedModule(seeds: number): Plugin {
  return {
    name: 'simulated',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined
      // A process of its own, since a schedule puts its clock in the place of the process's.
      const args = ['--disable-warning=ExperimentalWarning', SCRIPT, '--from', '1', '--seeds', String(seeds), '--each']
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      if (status !== 0) throw new Error(`the simulation failed in Node: ${stdout}${stderr}`)
      return `export default [${stdout.trim().split('\n').join(',')}]`
    },
  }
}
