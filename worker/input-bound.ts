// How many input tokens a request can be at most: a token is a byte of text at least.
import type { Asked } from './dialects/dialect.ts'
import { byteLength } from './seen.ts'
import type { VendorAsked } from './vendors/vendor-request.ts'

/** The most that one image becomes in the vision models that Ollama serves. */
const IMAGE_TOKENS = 4096
/** For what a model's template adds around the messages: up to 114 tokens were seen for a request of 92 bytes. */
const MARGIN_TOKENS = 256

export interface InputBound {
  /** What is held. */
  bound: number
  /** What stands for the count where the host gives none. */
  estimate: number
}

/** Bytes of the request as compact JSON, without its images' base64 (bytes that are not tokens), plus a bound for each image and a margin. */
export function inputBound(json: string, asked: Pick<Asked, 'images' | 'texts'>): InputBound {
  const imageBytes = asked.images.reduce((sum, image) => sum + byteLength(image), 0)
  const bound = Math.max(0, byteLength(json) - imageBytes) + asked.images.length * IMAGE_TOKENS + MARGIN_TOKENS
  return { bound, estimate: asked.texts?.reduce((sum, text) => sum + byteLength(text), 0) ?? bound }
}

/**
 * The same for a vendor: bytes of the request without its inline media, what each medium is billed as at the most, and what is added unseen.
 * Of 828 recorded requests none had as many tokens as bytes, but for tools at Anthropic, which is what the margin is for.
 */
export function vendorInputBound(json: string, { media, marginTokens }: Pick<VendorAsked, 'media' | 'marginTokens'>): number {
  const mediaBytes = media.reduce((sum, { base64 }) => sum + byteLength(base64), 0)
  const mediaTokens = media.reduce((sum, { tokens }) => sum + tokens, 0)
  return Math.max(0, byteLength(json) - mediaBytes) + mediaTokens + marginTokens
}
