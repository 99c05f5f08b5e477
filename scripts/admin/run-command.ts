// An admin command run within a program, by itself: what it says is kept, and nobody is there to be asked.
import type { Io } from './context.ts'
import { runAdmin } from './program.ts'

export interface Ran {
  code: number
  out: string
  /** Without `progress`: that is what it says while it works, which only a slow machine may have it say. */
  err: string
  progress: string
  /** Standard output as the one JSON value it is. */
  json<T = Record<string, unknown>>(): T
}

/**
 * @param io what is other than: nobody there, nothing in the environment, in the directory of the process
 * @param open how to come to a database; undefined: as the environment says
 */
export async function runCommand(
  args: readonly string[],
  io: Partial<Omit<Io, 'out' | 'err'>> = {},
  open?: Parameters<typeof runAdmin>[2],
): Promise<Ran> {
  const said = { out: '', err: '', progress: '' }
  const world: Io = {
    ...{ ask: null, directory: '.', environment: {} },
    ...io,
    out: async (text) => {
      said.out += text
    },
    err: (text) => {
      said[isProgress(text) ? 'progress' : 'err'] += text
    },
  }
  const code = await runAdmin([...args], world, open)
  return { code, ...said, json: <T>() => JSON.parse(said.out) as T }
}

function isProgress(text: string): boolean {
  return text.endsWith(' …\n')
}
