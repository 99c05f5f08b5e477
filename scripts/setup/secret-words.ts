// A body of a call as it may be shown.

const SECRET = /secret|password|^token$/i

/** The same with `…` for each secret. */
export function withoutSecrets(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name, inner) => (SECRET.test(name) && typeof inner === 'string' ? '…' : inner))
}
