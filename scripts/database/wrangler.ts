// wrangler as a library that writes nothing on its own account: standard output is a command's answer.

/** Loaded only by those who need it: it takes most of a second. */
export async function quietWrangler(): Promise<typeof import('wrangler')> {
  process.env.WRANGLER_LOG ??= 'error'
  return import('wrangler')
}
