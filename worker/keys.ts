// API keys: `sk_`, 48 random hex digits, 8 hex digits of checksum. Only the SHA-256 of a key is ever stored.

const KEY = /^sk_([0-9a-f]{48})([0-9a-f]{8})$/
/** Whatever begins like a key, in whole or cut short. */
const LOOKS_LIKE_KEY = /sk_[0-9a-f]{8,}/gi

/** A text with anything that looks like a key taken out: callers put them in the oddest places, and none belongs in a log or an answer. */
export function withoutKeys(text: string): string {
  return text.replace(LOOKS_LIKE_KEY, 'sk_…')
}

/** How much of a key is shown to tell it from others. */
const PREFIX_LENGTH = 9

async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** SHA-256 (64 hex digits) of a well-formed key, or null for one whose form or checksum is wrong: that costs no look-up. */
export async function keyHash(key: string): Promise<string | null> {
  const match = KEY.exec(key)
  if (!match || (await checksum(match[1] as string)) !== match[2]) return null
  return sha256Hex(key)
}

/** A new random key with what is stored of it. */
export async function newKey(): Promise<{ key: string; hash: string; prefix: string }> {
  const secret = [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const key = `sk_${secret}${await checksum(secret)}`
  return { key, hash: await sha256Hex(key), prefix: key.slice(0, PREFIX_LENGTH) }
}

async function checksum(secret: string): Promise<string> {
  return (await sha256Hex(`sk_${secret}`)).slice(0, 8)
}
