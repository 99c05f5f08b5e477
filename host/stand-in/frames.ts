// Frames: the JSON objects inside a chunk, be it a line of NDJSON, one or more server-sent events, or a whole body.

/** Every JSON frame of a chunk passed through `edit`; null takes the frame out. `[DONE]` and line ends stay as they are. */
export function editFrames<F>(chunk: string, edit: (frame: F) => F | null): string {
  if (!isEvents(chunk)) {
    const edited = edit(JSON.parse(chunk) as F)
    return edited === null ? '' : JSON.stringify(edited) + (chunk.endsWith('\n') ? '\n' : '')
  }
  return eventsOf(chunk)
    .map((event) => {
      const at = event.indexOf('data: ') + 'data: '.length
      if (event.startsWith('[DONE]', at)) return event
      const edited = edit(JSON.parse(event.slice(at)) as F)
      return edited === null ? '' : `${event.slice(0, at)}${JSON.stringify(edited)}\n\n`
    })
    .join('')
}

/** The JSON frames of a chunk. */
export function readFrames<F>(chunk: string): F[] {
  const frames: F[] = []
  editFrames<F>(chunk, (frame) => {
    frames.push(frame)
    return frame
  })
  return frames
}

function isEvents(chunk: string): boolean {
  return chunk.startsWith('data: ') || chunk.startsWith('event: ')
}

function eventsOf(chunk: string): string[] {
  return chunk.split(/(?<=\n\n)/)
}
