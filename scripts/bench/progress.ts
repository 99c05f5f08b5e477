// Says on standard error what is being measured, so that nobody waits for more than two seconds without knowing what for.

const SLOW_MS = 2000

export interface Progress {
  /** What begins now. */
  say(what: string): void
  /** A line that stays. */
  note(line: string): void
  stop(): void
}

/** On a terminal one line that is written over; elsewhere a line for what is running when two seconds have passed. */
export function startProgress(stream: { isTTY?: boolean; write(text: string): unknown }): Progress {
  let current = ''
  let said = ''
  const tick = () => {
    if (current !== said) stream.write(`${current} …\n`)
    said = current
  }
  const clear = () => stream.isTTY && stream.write('\r\x1b[2K')
  const timer = stream.isTTY ? null : setInterval(tick, SLOW_MS)
  return {
    say(what) {
      current = what
      if (clear()) stream.write(`${what} …`)
    },
    note(line) {
      clear()
      stream.write(`${line}\n`)
    },
    stop() {
      clear()
      if (timer !== null) clearInterval(timer)
    },
  }
}
