// Standard output whose reader has seen enough of it, as `head` does.

/** @param then what is done once it has gone; what is written after that is lost */
export function onReaderGone(then: () => void = () => process.exit(0)): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? then() : process.exit(1)))
}
