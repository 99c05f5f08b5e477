// How large a streamed answer can be: an answer that the buffer can hold whole may pass without JavaScript.
import type { JsonObject } from './json.ts'

/** Of every recorded stream the largest mean is 255 bytes a token, on /v1/completions; a long model name adds 100, escaped text a few. */
const TOKEN_BYTES = 448
/** What comes beside the tokens: an answer's first and last frames. */
const FRAME_BYTES = 8192
/** Dialects that say the request again: the Responses API its tools three times, /api/generate all tokens as numbers of up to 7 digits. */
const ECHO: Readonly<Record<string, number>> = { 'openai-responses': 4, 'ollama-generate': 8 }

export interface Bounds {
  /** Of all runs. */
  outputTokens: number
  /** An input token is a byte of the request at least. */
  inputBytes: number
}

/** Whether a request asks for what makes a token several thousand bytes. */
export function asksDense(body: JsonObject): boolean {
  return Boolean(body.logprobs || body.top_logprobs || (Array.isArray(body.include) && body.include.length > 0))
}

/** The most bytes that the streamed answer to a request can be; infinite where it is `dense`. */
export function answerMostBytes(dialect: string, dense: boolean, { outputTokens, inputBytes }: Bounds): number {
  return dense ? Number.POSITIVE_INFINITY : FRAME_BYTES + outputTokens * TOKEN_BYTES + inputBytes * (ECHO[dialect] ?? 0)
}
