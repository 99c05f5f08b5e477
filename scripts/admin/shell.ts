// The frame around every command: common options, the database, the answer's form, the question before what cannot be undone.
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { type OpenDatabase, openDatabase } from '../database/open.ts'
import { type Context, Failure, type Io, type Output, UsageError } from './context.ts'

/** Options of every command. */
export interface CommonOptions {
  json?: true
  remote?: true
}

export interface AskingOptions extends CommonOptions {
  yes?: true
}

type Open = (options: { remote: boolean }) => Promise<OpenDatabase>

export class Shell {
  readonly io: Io
  readonly #open: Open
  /** Of the command that ran. */
  exitCode: 0 | 1 = 0

  /** @param open how to come to the database; tests keep one open. */
  constructor(io: Io, open: Open = ({ remote }) => openDatabase(io.environment, { remote, onWait: (message) => io.err(`${message}\n`) })) {
    this.io = io
    this.#open = open
  }

  /** A command with the common options. `example` is what follows `npm run admin --`. */
  command(name: string, description: string, example: string): Command {
    return new Command(name)
      .description(description)
      .option('--json', 'print one JSON value')
      .option('--remote', 'the deployed database instead of the one on this machine')
      .addHelpText('after', `\nExample:\n  npm run admin -- ${example}`)
  }

  /** Opens the database, runs the command, prints what it gave: nothing where it has written its answer itself. */
  async run(options: CommonOptions, command: (context: Context) => Promise<Output | null>): Promise<void> {
    const remote = options.remote === true
    const { db, gateway } = await this.#open({ remote })
    try {
      const output = await command({ db, who: whoIn(this.io.environment), io: this.io, gateway, json: options.json === true, remote })
      if (output === null) return
      await this.io.out(`${options.json ? JSON.stringify(output.json, null, 2) : output.text}\n`)
      this.exitCode = output.exitCode ?? 0
    } finally {
      await db.close()
    }
  }

  /** Like `run`, but only after a yes: --yes, or a person's. The database is not held while they think. Throws Failure for a no, UsageError where no one is there. */
  async runAfterYes(options: AskingOptions, question: string, command: (context: Context) => Promise<Output>): Promise<void> {
    await this.confirm(options, question)
    await this.run(options, command)
  }

  /** Goes on after a yes. Throws Failure for a no, UsageError where no one is there. */
  async confirm(options: AskingOptions, question: string): Promise<void> {
    if (options.yes) return
    if (this.io.ask === null) throw new UsageError('--yes is missing: without a terminal there is nobody to ask. Nothing was changed.')
    if (!(await this.io.ask(question))) throw new Failure('not confirmed: nothing was changed.')
  }
}

/** Does `work` again and again until Ctrl-C, with a pause between. Throws what it throws. */
export async function untilInterrupted(pauseMs: number, work: () => Promise<void>): Promise<void> {
  const interrupted = new AbortController()
  const stop = () => interrupted.abort()
  process.once('SIGINT', stop)
  try {
    while (!interrupted.signal.aborted) {
      await work()
      await sleep(pauseMs, null, { signal: interrupted.signal }).catch(() => {})
    }
  } finally {
    process.off('SIGINT', stop)
  }
}

/** GATEWAY_ADMIN, or who is logged in. */
function whoIn({ GATEWAY_ADMIN, USER, LOGNAME, USERNAME }: Io['environment']): string {
  return (GATEWAY_ADMIN || USER || LOGNAME || USERNAME || 'unknown').slice(0, 200)
}
