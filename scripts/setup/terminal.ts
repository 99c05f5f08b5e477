// Questions at a terminal.
import { createInterface } from 'node:readline/promises'
import { Stopped } from './problem.ts'
import type { Ask } from './setup-context.ts'

/** Ctrl-C and the end of the input stop the set-up. */
export function terminalAsk(signal: AbortSignal): Ask {
  async function text(question: string, fallback: string): Promise<string> {
    const prompt = createInterface({ input: process.stdin, output: process.stderr })
    try {
      const closed = new Promise<never>((_, stopped) => prompt.once('close', () => stopped(new Stopped())))
      const shown = fallback === '' ? question : `${question} [${fallback}]`
      return (await Promise.race([prompt.question(`${shown} `, { signal }), closed])).trim() || fallback
    } catch {
      throw new Stopped()
    } finally {
      prompt.close()
    }
  }
  return {
    text,
    async yes(question, fallback) {
      const answer = await text(`${question} ${fallback ? '[Y/n]' : '[y/N]'}`, '')
      return answer === '' ? fallback : /^y(es)?$/i.test(answer)
    },
  }
}
