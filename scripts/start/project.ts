// Where the project's files are, whatever directory a command is run in.
import { join } from 'node:path'

export const PROJECT_ROOT = join(import.meta.dirname, '..', '..')
export const WRANGLER_TOML = join(PROJECT_ROOT, 'wrangler.toml')
