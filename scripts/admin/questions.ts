// Questions to a person at a terminal, on standard error: standard output is the command's answer.
import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { Stopped } from './context.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The end of the input is a no. Throws Stopped for Ctrl-C, and for what else asks this process to stop. */
export async function askYesOrNo(question: string): Promise<boolean> {
  const answer = await answerTo(`${question} [y/N] `, createInterface({ input: process.stdin, output: process.stderr }))
  return /^y(es)?$/i.test(answer.trim())
}

/** What is typed is not shown. Throws Stopped. */
export async function askSecret(question: string): Promise<string> {
  process.stderr.write(`${question} (it is not shown): `)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const answer = await answerTo('', createInterface({ input: process.stdin, output: nowhere, terminal: true }))
  process.stderr.write('\n')
  return answer
}

/** '' at the end of the input. */
function answerTo(shown: string, prompt: Interface): Promise<string> {
  return new Promise((resolve, reject) => {
    let answered = false
    let stopped = false
    const stop = () => {
      stopped = true
      reject(new Stopped('stopped: nothing was changed.'))
      prompt.close()
    }
    for (const signal of SIGNALS) process.on(signal, stop)
    // A terminal that readline has in hand sends no signal for Ctrl-C.
    prompt.once('SIGINT', stop)
    prompt.once('close', () => {
      // One Ctrl-C may come twice, by itself and passed on by whoever started this process.
      if (!stopped) for (const signal of SIGNALS) process.off(signal, stop)
      if (!answered) process.stderr.write('\n')
      resolve('')
    })
    prompt.question(shown, (answer) => {
      answered = true
      resolve(answer)
      prompt.close()
    })
  })
}
