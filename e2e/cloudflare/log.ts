// What the stand-in notes of a call's body: everything but secrets.

const SECRET = /secret|password|^text$|^token$/i

/** The body as JSON with each secret as `…`; a body that is none by its length. */
export function withoutSecrets(sent: Buffer): unknown {
  if (sent.length === 0) return null
  try {
    return JSON.parse(sent.toString(), (name, value) => (SECRET.test(name) && typeof value === 'string' ? '…' : value))
  } catch {
    return `${sent.length} bytes`
  }
}
