// What the figures were taken on, without its name.
import { readFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { PROJECT_ROOT } from '../start/project.ts'

export interface Machine {
  cores: number
  cpu: string
  memoryGib: number
  node: string
  workerd: string
}

export async function thisMachine(): Promise<Machine> {
  const manifest = JSON.parse(await readFile(join(PROJECT_ROOT, 'node_modules', 'workerd', 'package.json'), 'utf8'))
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    workerd: manifest.version,
  }
}
