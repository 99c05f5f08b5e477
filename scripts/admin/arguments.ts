// Text of the command line → checked values. Each reader throws commander's InvalidArgumentError, to which commander adds the argument's name.
import { InvalidArgumentError } from 'commander'
import * as z from 'zod'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { canonicalModel, isCloudModel } from '../../worker/model-name.ts'
import { MONEY_MAX_NANO, type NanoUsd, parseDecimal, parseUsd } from '../../worker/money.ts'
import { readRequestId } from '../../worker/request-id.ts'
import { PICO_MAX } from '../catalogue/format.ts'

/** $1,000: what a price may be, per request or second. */
const PRICE_MAX_NANO = 1_000_000_000_000
const DURATION_MAX_DAYS = 3650
const UNIT_MS = { m: 60_000, h: 3_600_000, d: DAY_MS } as const

/** A whole number in plain digits. */
export function count(min: number, max: number): (text: string) => number {
  return (text) => {
    if (/^(0|[1-9]\d{0,11})$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text)
    throw new InvalidArgumentError(`It has to be a whole number from ${min} to ${max}.`)
  }
}

/** `count`, or "none" for no limit: as it is, since commander takes a null for an empty text. */
export function countOrNone(min: number, max: number): (text: string) => number | 'none' {
  const read = count(min, max)
  return (text) => {
    if (text === 'none') return text
    try {
      return read(text)
    } catch {
      throw new InvalidArgumentError(`It has to be a whole number from ${min} to ${max}, or "none".`)
    }
  }
}

/** An id, as the list commands show it. */
export const id = count(1, 999_999_999)

export function requestId(text: string): string {
  const read = readRequestId(text)
  if (read !== null) return read
  throw new InvalidArgumentError('It has to be the id of a request, such as 019ab3c1-57e2-7c1d-8a52-4f0d2b6e9a10.')
}

/** Dollars of a budget. */
export function budget(text: string): NanoUsd {
  const nano = text.trim() === text ? parseUsd(text) : null
  if (nano !== null) return nano
  throw new InvalidArgumentError(
    `It has to be an amount in USD such as 20 or 0.5, at most ${MONEY_MAX_NANO / 1e9}, with at most 9 decimals.`,
  )
}

/** Dollars that move. */
export function amount(text: string): NanoUsd {
  const nano = text.trim() === text ? parseUsd(text) : null
  if (nano !== null && nano > 0) return nano
  throw new InvalidArgumentError(
    `It has to be an amount in USD such as 20 or 0.5, more than 0, at most ${MONEY_MAX_NANO / 1e9}, with at most 9 decimals.`,
  )
}

/** Dollars per request, model use or second. */
export function price(text: string): NanoUsd {
  const nano = text.trim() === text ? parseDecimal(text, 9, PRICE_MAX_NANO) : null
  if (nano !== null) return nano as NanoUsd
  throw new InvalidArgumentError('It has to be an amount in USD such as 0.003, at most 1000, with at most 9 decimals.')
}

/** Dollars per million tokens → pico-dollars per token. */
export function tokenPrice(text: string): number {
  const pico = text.trim() === text ? parseDecimal(text, 6, PICO_MAX) : null
  if (pico !== null) return pico
  throw new InvalidArgumentError('It has to be USD per million tokens such as 0.15, at most 10000, with at most 6 decimals.')
}

/** YYYY-MM-DD, UTC → whole days since 1970-01-01. */
export function date(text: string): number {
  const day = z.iso.date().safeParse(text).success && text >= '1970' ? Date.parse(text) / DAY_MS : Number.NaN
  if (Number.isInteger(day)) return day
  throw new InvalidArgumentError('It has to be a date that exists, as YYYY-MM-DD.')
}

/** 30m, 24h, 7d or 0 → milliseconds. */
export function duration(text: string): number {
  const match = /^(0|[1-9]\d{0,6})([mhd])$/.exec(text === '0' ? '0m' : text)
  const ms = match ? Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS] : Number.NaN
  if (ms <= DURATION_MAX_DAYS * DAY_MS) return ms
  throw new InvalidArgumentError(`It has to be 0 or a time such as 30m, 24h or 7d, at most ${DURATION_MAX_DAYS}d.`)
}

/** When a key ends: after a time from now, or with the end of a day. */
export type Expiry = { inMs: number } | { atMs: number }

/** 30d and the like, or the last day it is to work. */
export function expiry(text: string): Expiry {
  if (/^\d+[mhd]$/.test(text)) {
    const inMs = duration(text)
    if (inMs > 0) return { inMs }
  } else {
    const atMs = (date(text) + 1) * DAY_MS
    if (atMs > Date.now()) return { atMs }
  }
  throw new InvalidArgumentError('It has to be in the future.')
}

export function email(text: string): string {
  const read = z.email().max(254).safeParse(text)
  if (read.success) return read.data
  throw new InvalidArgumentError('It has to be an email address such as ada@example.com.')
}

/** A name for people: one line, 1 to 200 characters. */
export function label(text: string): string {
  const trimmed = text.trim()
  if (trimmed !== '' && [...trimmed].length <= 200 && !/\p{Cc}/u.test(trimmed)) return trimmed
  throw new InvalidArgumentError('It has to be one line of 1 to 200 characters.')
}

/** A model of the host, in its one spelling. */
function model(text: string): string {
  const name = canonicalModel(text)
  if (name === null) throw new InvalidArgumentError('It has to be a model name such as gemma3:270m.')
  if (isCloudModel(name)) {
    throw new InvalidArgumentError("It runs on ollama.com, on the account of the host's owner, and is not offered.")
  }
  return name
}

/** `model`, or * for every one without a price of its own. */
export function modelOrAll(text: string): string {
  return text === '*' ? '*' : model(text)
}

/** Whether it can be what a vendor's model is called here: one that is asked for by it, which is in small letters and has no tag, comes to it. */
function isVendorName(text: string): boolean {
  return canonicalModel(text) === `${text}:latest` && !isCloudModel(text)
}

/** A name for a vendor's model. */
export function vendorModel(text: string): string {
  if (isVendorName(text)) return text
  throw new InvalidArgumentError('It has to be a name in small letters without a tag, such as gpt-6-sol, and must not end in -cloud.')
}

/** A vendor's own id of a model, as it is sent there: ft:gpt-6-sol:acme::1 or Llama-4 as well. */
export function upstreamModel(text: string): string {
  if (/^[\x21-\x7e]{1,256}$/.test(text)) return text
  throw new InvalidArgumentError("It has to be the model's id at the vendor: 1 to 256 characters without spaces.")
}

export interface PricedModel {
  typed: string
  /** As the host's: canonical, or '*'. */
  ofHost: string
  /** As a vendor's; null: it cannot be one. */
  ofVendor: string | null
}

/** A model to price, whosever it is. */
export function pricedModel(typed: string): PricedModel {
  const small = typed.toLowerCase()
  return { typed, ofHost: modelOrAll(typed), ofVendor: isVendorName(small) ? small : null }
}

/** A name in the list of prices: a vendor's model as it is typed, which has no tag, and then what the host's would be called. */
export function listedModel(text: string): string[] {
  return isVendorName(text) ? [text, model(text)] : [modelOrAll(text)]
}

/** a,b,c: each model once, in their one spelling. */
export function models(text: string): string[] {
  return [...new Set(text.split(',').map(model))]
}
