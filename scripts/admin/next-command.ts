// The next command, as it is worded in answers: pasted, it goes to the database that the one before it went to.
import type { Context } from './context.ts'

/** @param command what follows `npm run admin --` */
export function adminCommand({ remote }: Pick<Context, 'remote'>, command: string): string {
  return `npm run admin -- ${command}${remote ? ' --remote' : ''}`
}
