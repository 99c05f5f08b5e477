// How a schedule, or what is left of it after shrinking, is named: 'seed' or 'seed:steps', the steps as '0,3-5,9'.

export interface Replay {
  seed: number
  /** null: all steps. */
  only: number[] | null
}

export function formatPath(seed: number, only: readonly number[]): string {
  const parts: string[] = []
  for (let index = 0; index < only.length; ) {
    const first = only[index] as number
    let last = first
    while (only[index + 1] === last + 1) last = only[++index] as number
    index++
    parts.push(first === last ? String(first) : `${first}-${last}`)
  }
  return `${seed}:${parts.join(',')}`
}

/** null where it is neither. */
export function parsePath(text: string): Replay | null {
  const match = /^(\d{1,10})(?::((?:\d{1,4}(?:-\d{1,4})?)(?:,\d{1,4}(?:-\d{1,4})?)*)?)?$/.exec(text)
  if (match === null || Number(match[1]) >= 2 ** 32) return null
  if (!text.includes(':')) return { seed: Number(match[1]), only: null }
  const only = (match[2] ?? '').split(',').flatMap((part) => {
    if (part === '') return []
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
  })
  return { seed: Number(match[1]), only }
}
