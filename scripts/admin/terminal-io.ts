// The terminal as commands see it: where they print, whom they ask, and the settings over .dev.vars.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseEnv } from 'node:util'
import { PROJECT_ROOT } from '../start/project.ts'
import type { Io } from './context.ts'

/** Of this process. Whoever reads its output may have seen enough of it, as `head` does. */
export function terminalIo(): Io {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  return {
    out: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
    err: (text) => void process.stderr.write(text),
    ...(process.stderr.isTTY ? { terminal: { columns: process.stderr.columns || 80, isOut: process.stdout.isTTY === true } } : {}),
    ask: process.stdin.isTTY ? ask : null,
    // npm changes to the project's directory and tells where it was called.
    directory: process.env.INIT_CWD ?? process.cwd(),
    environment: environment(),
  }
}

/** On standard error: standard output is the command's answer. Ctrl-C and the end of the input are a no. */
function ask(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  return new Promise((resolve) => {
    prompt.once('close', () => resolve(false))
    prompt.question(`${question} [y/N] `, (answer) => {
      resolve(/^y(es)?$/i.test(answer.trim()))
      prompt.close()
    })
  })
}

/** The environment over .dev.vars, as for `npm start`; an empty variable is one that was not set. */
function environment(): Record<string, string | undefined> {
  const path = join(PROJECT_ROOT, '.dev.vars')
  const set = Object.entries(process.env).filter(([, value]) => value !== '')
  return { ...(existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {}), ...Object.fromEntries(set) }
}
