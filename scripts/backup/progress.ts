// Says on standard error how far something is, every two seconds.
import { thousands } from '../admin/table.ts'

const SAY_EVERY_MS = 2000

/** `what` with the number before it: "1,000 rows read". */
export function progress(err: (text: string) => void, what: string): (count: number) => void {
  let saidMs = performance.now()
  return (count) => {
    if (performance.now() - saidMs < SAY_EVERY_MS) return
    saidMs = performance.now()
    err(`${thousands(count)} ${what} …\n`)
  }
}
