// What is deployed: the release and the commit of this checkout, and whether there is more in it than was committed.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { PROJECT_ROOT } from '../start/project.ts'

export interface Checkout {
  /** Of package.json; which one runs decides what migrations may take away. */
  release: string
  /** For people: 0.1.0 at 3429dde, with changes that are not committed. */
  words: string
}

export async function readCheckout(): Promise<Checkout> {
  const { version: release } = packageJson
  const commit = await git('rev-parse', '--short', 'HEAD')
  if (commit === null) return { release, words: release }
  const changed = await git('status', '--porcelain')
  return { release, words: `${release} at ${commit}${changed ? ', with changes that are not committed' : ''}` }
}

/** What git says; null: there is no git, or this is no checkout. */
async function git(...args: string[]): Promise<string | null> {
  const said = await promisify(execFile)('git', args, { cwd: PROJECT_ROOT }).catch(() => null)
  return said === null ? null : said.stdout.trim()
}
