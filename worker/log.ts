// One JSON object a line, for the operator: ids, counts and causes; never a key, a header or a word of content.
import { withoutKeys } from './keys.ts'

export type LogEvent = { event: string } & Record<string, string | number | boolean | null>

export function log(entry: LogEvent): void {
  console.log(withoutKeys(JSON.stringify(entry)))
}

/** What can be said of a thrown value without showing more than its text. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 500)
  const cause = error.cause instanceof Error ? ` ← ${error.cause.message}` : ''
  return `${error.name}: ${error.message}${cause}`.slice(0, 500)
}
