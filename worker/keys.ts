// API keys: `sk_`, 48 random hex digits, 8 hex digits of checksum. Only the SHA-256 of a key is ever stored.

import { hash } from 'node:crypto'

const KEY = /^sk_([0-9a-f]{48})([0-9a-f]{8})$/
/** Whatever begins like a key, in whole or cut short. */
const LOOKS_LIKE_KEY = /sk_[0-9a-f]{8,}/gi

/** A text with anything that looks like a key taken out: callers put them in the oddest places, and none belongs in a log or an answer. */
export function withoutKeys(text: string): string {
  return text.replace(LOOKS_LIKE_KEY, 'sk_…')
}

/** How much of a key is shown to tell it from others. */
const PREFIX_LENGTH = 9

/** 64 hex digits. In one call: `crypto.subtle` would have each request wait for two promises. */
function sha256Hex(text: string): string {
  return hash('sha256', text)
}

/** SHA-256 (64 hex digits) of a well-formed key, or null for one whose form or checksum is wrong: that costs no look-up. */
export function keyHash(key: string): string | null {
  const match = KEY.exec(key)
  if (!match || checksum(match[1] as string) !== match[2]) return null
  return sha256Hex(key)
}

/** A new random key with what is stored of it. */
export function newKey(): { key: string; hash: string; prefix: string } {
  const secret = [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const key = `sk_${secret}${checksum(secret)}`
  return { key, hash: sha256Hex(key), prefix: key.slice(0, PREFIX_LENGTH) }
}

function checksum(secret: string): string {
  return sha256Hex(`sk_${secret}`).slice(0, 8)
}
