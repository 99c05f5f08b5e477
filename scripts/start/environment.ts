// The environment of this process, and over what it goes: .dev.vars.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { PROJECT_ROOT } from './project.ts'

/** An empty variable is one that was not set. */
export function withoutEmpty(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
}

/** The text of .dev.vars; '' where there is none. */
export function devVarsText(): string {
  const path = join(PROJECT_ROOT, '.dev.vars')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** The environment first, then .dev.vars. */
export function environmentOverDevVars(): NodeJS.ProcessEnv {
  return { ...parseEnv(devVarsText()), ...withoutEmpty(process.env) }
}
