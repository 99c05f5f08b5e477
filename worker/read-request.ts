// From the wire to what the ledger is asked: key, body, model, bounds. No I/O but the body's own bytes.
import { readKeyHash } from './auth.ts'
import type { Asked, Dialect } from './dialects/dialect.ts'
import { GatewayError } from './errors.ts'
import { concat } from './frames.ts'
import { type InputBound, inputBound } from './input-bound.ts'
import { type JsonObject, parseBody } from './json.ts'
import { withoutKeys } from './keys.ts'
import { canonicalModel, isCloudModel } from './model-name.ts'
import { modelNotFound } from './refusal.ts'
import { within } from './within.ts'

export interface ReadRequest {
  keyHash: string
  body: JsonObject
  asked: Asked
  /** Canonical. */
  model: string
  input: InputBound
}

/** Reads and checks a request to a dialect's path. Throws what is wrong with it. */
export async function readRequest(dialect: Dialect, request: Request, bodyLimitBytes: number): Promise<ReadRequest> {
  const keyHash = await readKeyHash(request.headers)
  const body = parseBody(await readBytes(request, bodyLimitBytes), dialect.keys)
  const asked = dialect.read(body)
  return { keyHash, body, asked, model: modelOf(asked.model), input: inputBound(JSON.stringify(body), asked) }
}

/** The canonical name of the model asked for. Throws model_not_found, or model_not_allowed for one that runs on its owner's cloud account. */
export function modelOf(name: string): string {
  const model = canonicalModel(name)
  // A key in the model's place would go to the host as a name.
  if (model === null || withoutKeys(model) !== model) throw modelNotFound(name)
  if (isCloudModel(model)) {
    throw new GatewayError(
      'model_not_allowed',
      `The model "${model}" runs on ollama.com, on the account of this host's owner, and is not offered.`,
      {
        param: 'model',
      },
    )
  }
  return model
}

/** How long a body may take to arrive, milliseconds. */
const BODY_MS = 120_000

/** The body's bytes. Throws body_too_large as soon as there are too many, and unsupported_encoding for a compressed body. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase()
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') {
    throw new GatewayError('unsupported_encoding', `Content-Encoding "${encoding.slice(0, 32)}" is not supported: send the JSON as it is.`)
  }
  const tooLarge = () => new GatewayError('body_too_large', `The request body is larger than ${maxBytes} bytes: shorten it.`)
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  // A body whose length was announced is no longer than that, and comes in one go.
  const reading = request.headers.has('content-length') ? request.bytes() : readPieces(request, maxBytes, tooLarge)
  const bytes = await within<Uint8Array>(BODY_MS, reading).catch((error) => {
    throw error instanceof GatewayError ? error : new GatewayError('invalid_request', 'The request body broke off.', { cause: error })
  })
  if (bytes === null)
    throw new GatewayError('invalid_request', `The request body did not arrive within ${BODY_MS / 1000} s: send it faster, or less.`)
  return bytes
}

/** Leaves the rest of a body that is too large where it is: a loop over the body itself would cancel it, and its sender see no refusal. */
async function readPieces(request: Request, maxBytes: number, tooLarge: () => GatewayError): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let total = 0
  const reader = request.body?.getReader()
  try {
    for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read()) {
      total += read.value.byteLength
      if (total > maxBytes) throw tooLarge()
      pieces.push(read.value)
    }
  } finally {
    reader?.releaseLock()
  }
  return concat(...pieces)
}

/** How much of a refused body is read on, and for how long. */
const DRAIN_MAX_BYTES = 10_000_000
const DRAIN_MS = 2_000

/**
 * Reads what is left of a body whose request was refused, within bounds: a caller who is still sending would otherwise see a broken connection
 * in place of the refusal, and try again. Never throws.
 */
export async function drain(request: Request): Promise<void> {
  if (request.body === null || Number(request.headers.get('content-length') ?? 0) > DRAIN_MAX_BYTES) return
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    const reader = request.body.getReader()
    timer = setTimeout(() => reader.cancel().catch(() => {}), DRAIN_MS)
    let total = 0
    for (let read = await reader.read(); !read.done && total <= DRAIN_MAX_BYTES; read = await reader.read()) total += read.value.byteLength
  } catch {
    // The caller has gone, or somebody else has read it.
  } finally {
    clearTimeout(timer)
  }
}
