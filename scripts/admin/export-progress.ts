// How far an export is, on standard error: a bar where that is a terminal, a line each two seconds where it is not.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import type { Io } from './context.ts'
import { bar } from './spark.ts'
import { dayName, thousands } from './table.ts'

const SAY_EVERY_MS = 2000
const DRAW_EVERY_MS = 100
const BAR_WIDTH = 24
const CLEAR = '\r\x1b[2K'

export interface ExportProgress {
  /** So many rows are written; the last one was of then. */
  said(rows: number, lastMs: number): void
  /** Leaves the terminal as it was. */
  end(): void
}

/**
 * @param total of what there is to write; what comes in meanwhile is no more than all of it
 * @param toOutput the rows go to standard output: on a terminal they are what is seen, and no bar is drawn between them
 */
export function exportProgress({ err, terminal }: Io, total: number, toOutput: boolean, nowMs = () => performance.now()): ExportProgress {
  if (terminal?.isOut && toOutput) return { said: () => {}, end: () => {} }
  let saidMs = nowMs()
  let isDrawn = false
  const every = terminal === undefined ? SAY_EVERY_MS : DRAW_EVERY_MS
  return {
    said(rows, lastMs) {
      if (nowMs() - saidMs < every) return
      saidMs = nowMs()
      const percent = `${total === 0 ? 100 : Math.min(100, Math.floor((rows * 100) / total))} %`
      const words = `${percent.padStart(5)}  ${thousands(rows)} of ${thousands(total)} requests, up to ${dayName(Math.floor(lastMs / DAY_MS))}`
      if (terminal === undefined) return err(`${words.trimStart()} …\n`)
      const drawn = bar(BigInt(rows), BigInt(Math.max(total, rows)), BAR_WIDTH).padEnd(BAR_WIDTH, '░')
      err(`${CLEAR}${`${drawn} ${words}`.slice(0, terminal.columns - 1)}`)
      isDrawn = true
    },
    end() {
      if (isDrawn) err(CLEAR)
    },
  }
}
