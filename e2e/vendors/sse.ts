// The text of a stream of server-sent events, in pieces.

/** The events of a stream, each with the blank line that ends it; what is left without one is the last. */
export function splitEvents(text: string): string[] {
  return text.match(/[\s\S]*?\n\n|[\s\S]+$/g) ?? []
}

/** What an event says; null for one that has no data. */
export function dataOf(event: string): string | null {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'))
  return lines.length === 0 ? null : lines.map((line) => line.slice('data:'.length).trim()).join('\n')
}

export function isStream(headers: Readonly<Record<string, string>>): boolean {
  return /event-stream/.test(headers['content-type'] ?? '')
}
