// D1 as a gateway sees it: each call waits until the schedule says what becomes of it.
import type { Fate } from './steps.ts'
import type { Result, Statement } from './store.ts'

/** One life of a gateway; whatever it is told after its end, it does not hear. */
export interface Life {
  name: string
  alive: boolean
}

export interface Call {
  life: Life
  statements: readonly Statement[]
  /** null: nobody is waiting, or whoever is will not be told. */
  reply: PromiseWithResolvers<Result[]> | null
}

const ERRORS = {
  busy: 'D1_ERROR: database is locked: SQLITE_BUSY',
  overloaded: 'D1_ERROR: D1 DB is overloaded. Too many requests queued.',
  fails: 'D1_ERROR: internal error; reference = simulated',
  'reply lost': 'D1_ERROR: Network connection lost.',
  late: 'D1_ERROR: Network connection lost.',
} as const

export class Calls {
  readonly waiting: Call[] = []
  /** Calls whose caller goes on waiting although nothing will come. */
  #unheard: Call[] = []
  readonly #execute: (call: Call, whole: boolean) => Promise<Result[] | null>

  readonly #sent: (statements: readonly Statement[]) => void

  /** `execute` carries a call out; `whole` is false where it fails on the way. Null: the database refused it. */
  constructor(execute: (call: Call, whole: boolean) => Promise<Result[] | null>, sent: (statements: readonly Statement[]) => void) {
    this.#execute = execute
    this.#sent = sent
  }

  /** What becomes of one of the calls. */
  async answer(call: Call, fate: Fate): Promise<void> {
    if (call.reply !== null && (fate === 'late' || fate === 'hangs')) {
      if (fate === 'late') call.reply.reject(new Error(ERRORS.late))
      else this.#unheard.push({ ...call })
      call.reply = null
      return
    }
    this.waiting.splice(this.waiting.indexOf(call), 1)
    if (fate === 'busy' || fate === 'overloaded' || fate === 'fails') {
      if (fate === 'fails') await this.#execute(call, false)
      return call.reply?.reject(new Error(ERRORS[fate]))
    }
    const results = await this.#execute(call, true)
    if (results === null) return call.reply?.reject(new Error('D1_ERROR: refused'))
    if (fate === 'reply lost') return call.reply?.reject(new Error(ERRORS[fate]))
    if (fate === 'reply hangs') return void this.#unheard.push(call)
    call.reply?.resolve(results)
  }

  /** Nobody waits for ever: in the end D1 gives up what it has not answered. */
  giveUp(): void {
    for (const { life, reply } of this.#unheard) if (life.alive) reply?.reject(new Error('D1_ERROR: D1 DB query took too long'))
    this.#unheard = []
  }

  /** A gateway dies: what it has sent may still arrive, what comes back does not. */
  end(life: Life): void {
    life.alive = false
    for (const call of this.waiting) if (call.life === life) call.reply = null
  }

  /** The database of a gateway. */
  database(life: Life): D1Database {
    const send = (statements: readonly Statement[]): Promise<Result[]> => {
      const reply = Promise.withResolvers<Result[]>()
      // A dead gateway's code goes on running here, and reaches nothing.
      if (!life.alive) return reply.promise
      this.#sent(statements)
      this.waiting.push({ life, statements, reply })
      return reply.promise
    }
    const prepare = (sql: string, params: unknown[] = []) => ({
      sql,
      params,
      bind: (...values: unknown[]) => prepare(sql, values),
      run: async () => (await send([{ sql, params }]))[0],
      all: async () => (await send([{ sql, params }]))[0],
    })
    return { prepare, batch: send } as unknown as D1Database
  }
}
