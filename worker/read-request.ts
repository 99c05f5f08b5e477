// From the wire to what the ledger is asked: key, body, model, bounds. No I/O but the body's own bytes.
import { readKeyHash } from './auth.ts'
import type { Asked, Dialect } from './dialects/dialect.ts'
import { GatewayError } from './errors.ts'
import { concat } from './frames.ts'
import { type InputBound, inputBound } from './input-bound.ts'
import { type JsonObject, parseBody } from './json.ts'
import { canonicalModel, isCloudModel } from './model-name.ts'
import { modelNotFound } from './refusal.ts'

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
  if (model === null) throw modelNotFound(name)
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

/** The body's bytes. Throws body_too_large as soon as there are too many, and unsupported_encoding for a compressed body. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase()
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') {
    throw new GatewayError('unsupported_encoding', `Content-Encoding "${encoding.slice(0, 32)}" is not supported: send the JSON as it is.`)
  }
  const tooLarge = () => new GatewayError('body_too_large', `The request body is larger than ${maxBytes} bytes: shorten it.`)
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  const pieces: Uint8Array[] = []
  let total = 0
  try {
    for await (const piece of request.body ?? []) {
      total += (piece as Uint8Array).byteLength
      if (total > maxBytes) throw tooLarge()
      pieces.push(piece as Uint8Array)
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw new GatewayError('invalid_request', 'The request body broke off.', { cause: error })
  }
  return concat(...pieces)
}
