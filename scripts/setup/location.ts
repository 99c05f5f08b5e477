// Where the box probably is, by this machine's time zone: a default for a question, and it needs no network.
import type { Location } from './setup-context.ts'

/** @param timeZone such as Europe/Berlin; @param winterOffsetHours of it from UTC in January */
export function likelyLocation(timeZone: string, winterOffsetHours: number): Location {
  const [continent] = timeZone.split('/')
  if (continent === 'America') return winterOffsetHours <= -7 ? 'wnam' : 'enam'
  if (continent === 'Asia' || continent === 'Indian') return 'apac'
  if (continent === 'Australia' || continent === 'Pacific' || continent === 'Antarctica') return 'oc'
  return continent === 'Europe' && winterOffsetHours >= 2 ? 'eeur' : 'weur'
}

export function locationHere(): Location {
  const winter = new Date(Date.UTC(2026, 0, 15))
  return likelyLocation(Intl.DateTimeFormat().resolvedOptions().timeZone, -winter.getTimezoneOffset() / 60)
}
