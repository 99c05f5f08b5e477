// The terminal as commands see it: where they print, whom they ask, and the settings over .dev.vars.
import { text as textOf } from 'node:stream/consumers'
import { environmentOverDevVars } from '../start/environment.ts'
import { onReaderGone } from '../start/standard-output.ts'
import type { Io } from './context.ts'
import { askSecret, askYesOrNo } from './questions.ts'

/** Of this process. */
export function terminalIo(): Io {
  onReaderGone()
  return {
    out: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
    err: (text) => void process.stderr.write(text),
    ...(process.stderr.isTTY ? { terminal: { columns: process.stderr.columns || 80, isOut: process.stdout.isTTY === true } } : {}),
    ...(process.stdin.isTTY ? { ask: askYesOrNo, askSecret } : { ask: null, input: () => textOf(process.stdin) }),
    // npm changes to the project's directory and tells where it was called.
    directory: process.env.INIT_CWD ?? process.cwd(),
    environment: environmentOverDevVars(),
  }
}
