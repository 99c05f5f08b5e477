// What went wrong with a start, for the person who started it.
import { DatabaseError } from '../database/database.ts'
import { SettingError } from './settings.ts'

export interface Explanation {
  message: string
  exitCode: number
}

/** Errors that a person can do something about get a sentence; anything else is a fault of ours, told with its stack. */
export function explain(error: unknown, { host, port }: { host: string; port: number }): Explanation {
  if (error instanceof SettingError) return { message: error.message, exitCode: 2 }
  if (error instanceof DatabaseError) return { message: error.message, exitCode: 1 }
  const { code, syscall } = error as NodeJS.ErrnoException
  if (syscall === 'listen' && code === 'EADDRINUSE') {
    return { message: `Port ${port} is in use. Choose another: PORT=${port + 1} npm start`, exitCode: 1 }
  }
  if (syscall === 'getaddrinfo') return { message: `HOST=${host}: there is no such name. Leave it out for 127.0.0.1.`, exitCode: 2 }
  if (syscall === 'listen') return { message: `HOST=${host} PORT=${port}: cannot listen there (${code}).`, exitCode: 1 }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 }
}
