// From the wire to what the ledger is asked: key, body, model, bounds. No I/O but the body's own bytes.
import * as z from 'zod'
import { asksDense } from './answer-size.ts'
import { readKeyHash } from './auth.ts'
import { type Asked, type Dialect, readAs } from './dialects/dialect.ts'
import { GatewayError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { concat } from './frames.ts'
import { type InputBound, inputBound, vendorInputBound } from './input-bound.ts'
import { type JsonObject, parseBody } from './json.ts'
import { withoutKeys } from './keys.ts'
import { type AskReading, OUTPUT_LEAST } from './ledger/admission.ts'
import { canonicalModel, isCloudModel, vendorName } from './model-name.ts'
import { modelNotFound } from './refusal.ts'
import type { Upstream } from './schema.ts'
import { vendorDialectOf } from './vendors/vendor-dialect.ts'
import type { VendorAsked } from './vendors/vendor-request.ts'
import { within } from './within.ts'

/** A request as one upstream reads it: what it asks for, as far as prices and limits go. */
export interface Reading extends Omit<AskReading, 'inputBound' | 'leaseMs'> {
  stream: boolean
  /** The caller wants the usage that the gateway asks for in any case. */
  usageAsked: boolean
  /** Its answer can be several thousand bytes a token. */
  dense: boolean
  input: InputBound
}

export interface ReadRequest {
  keyHash: string
  body: JsonObject
  /** Canonical. */
  model: string
  /** As a vendor's model of this name is stored. */
  vendorName: string
  /** By each upstream that can serve a request such as this; an error where it says why it does not serve this one. */
  readings: Partial<Record<Upstream, Reading | GatewayError>>
  /** Set for what is answered without any upstream: a request that would only load a model. */
  answer?: JsonObject
}

/**
 * Reads and checks a request to a dialect's path. Throws what is wrong with it, if that is so whoever serves it: who does is known once the
 * price of the model is.
 */
export async function readRequest(dialect: Dialect, { request, config }: Pick<Exchange, 'request' | 'config'>): Promise<ReadRequest> {
  const keyHash = await readKeyHash(request.headers)
  const body = parseBody(await readBytes(request, config.bodyLimitBytes), dialect.keys)
  // Once for both readings: for a long conversation that takes longer than the schemas do.
  const json = JSON.stringify(body)
  const vendorDialect = vendorDialectOf(dialect.name)
  if (vendorDialect === undefined || config.vendors[vendorDialect.vendor] === undefined) {
    const asked = dialect.read(body)
    const { answer } = asked
    const readings = { ollama: hostReading(asked, body, json) }
    return { keyHash, body, ...namesOf(asked.model), readings, ...(answer === undefined ? {} : { answer }) }
  }
  const { vendor } = vendorDialect
  const readings: ReadRequest['readings'] = {
    ollama: orError(() => hostReading(dialect.read(body), body, json)),
    [vendor]: orError(() => vendorReading(vendorDialect.request.read(body), body, json)),
  }
  // Without a model nobody can say whose mistake it is.
  const { model } = readAs(NAMED, body)
  return { keyHash, body, ...namesOf(model), readings }
}

const NAMED = z.looseObject({ model: z.string().min(1, 'name a model') })

function orError<T>(read: () => T): T | GatewayError {
  try {
    return read()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
}

function namesOf(asked: string): Pick<ReadRequest, 'model' | 'vendorName'> {
  const model = modelOf(asked)
  return { model, vendorName: vendorName(asked, model) }
}

function hostReading(asked: Asked, body: JsonObject, json: string): Reading {
  const { stream, usageAsked, outputAsked, runs } = asked
  const input = inputBound(json, asked)
  const limits = { outputAsked, outputLeast: OUTPUT_LEAST, runs, rereads: true, cacheWrite: 'none' as const }
  return { stream, usageAsked, dense: asksDense(body), ...limits, input }
}

function vendorReading(asked: VendorAsked, body: JsonObject, json: string): Reading {
  const { stream, usageAsked, outputAsked, outputLeast = OUTPUT_LEAST, answers, cacheWrite } = asked
  const bound = vendorInputBound(json, asked)
  const limits = { outputAsked, outputLeast, runs: answers, rereads: false, cacheWrite }
  return { stream, usageAsked, dense: asksDense(body), ...limits, input: { bound, estimate: bound } }
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
