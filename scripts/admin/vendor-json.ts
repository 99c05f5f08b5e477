// A vendor's JSON, read strictly: every number by its digits, never through a float, and every complaint with the file and the place.
import { Failure } from './context.ts'

/** A number as it stands in the text. */
class Digits {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A million million tokens: far above a day of anybody's, and thousands of them add up exactly. */
const COUNT_MAX = 1e12

/** A value in a file, and where it stands there. Every reader throws Failure. */
export class Place {
  readonly value: unknown
  readonly file: string
  readonly path: string

  constructor(value: unknown, file: string, path: string) {
    this.value = value
    this.file = file
    this.path = path
  }

  fail(message: string): never {
    throw new Failure(`--from: ${this.file}: ${this.path}: ${message}`)
  }

  has(name: string): boolean {
    return this.#object()[name] !== undefined && this.#object()[name] !== null
  }

  at(name: string): Place {
    return new Place(this.#object()[name], this.file, `${this.path}.${name}`)
  }

  items(): Place[] {
    if (!Array.isArray(this.value)) this.fail('has to be a list: give the answer as the vendor sent it.')
    return this.value.map((item, index) => new Place(item, this.file, `${this.path}[${index}]`))
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.fail(`has to be a text, ${this.#given()}.`)
  }

  flag(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.fail(`has to be true or false, ${this.#given()}.`)
  }

  /** A whole number of tokens, requests or seconds. */
  count(): number {
    if (this.value instanceof Digits && /^\d{1,13}$/.test(this.value.text) && Number(this.value.text) <= COUNT_MAX) {
      return Number(this.value.text)
    }
    return this.fail(`has to be a whole number from 0 to ${COUNT_MAX}, ${this.#given()}.`)
  }

  /** The same, or 0 where there is none. */
  countOrZero(): number {
    return this.value === undefined || this.value === null ? 0 : this.count()
  }

  /** Money as whole nano-dollars; `decimals` is 9 where the vendor writes dollars, 7 where it writes cents. */
  nano(decimals: 7 | 9): bigint {
    const text = this.value instanceof Digits ? this.value.text : this.text()
    return nanoOf(text, decimals) ?? this.fail(`has to be an amount such as 12.5, ${this.#given()}.`)
  }

  /** A list's elements count as such, too: no value but an object has names. */
  #object(): Record<string, unknown> {
    if (typeof this.value === 'object' && this.value !== null && !Array.isArray(this.value) && !(this.value instanceof Digits)) {
      return this.value as Record<string, unknown>
    }
    return this.fail(`has to be an object, ${this.#given()}.`)
  }

  #given(): string {
    if (this.value === undefined) return 'but is missing'
    if (this.value instanceof Digits) return `not ${this.value.text}`
    return Array.isArray(this.value) ? 'not a list' : `not ${JSON.stringify(this.value).slice(0, 80)}`
  }
}

/** 0.06, -1.5, 1.2e-05: by its digits; what is below a nano-dollar is rounded, half away from zero. Null: no number, or one out of all proportion. */
export function nanoOf(text: string, decimals: number): bigint | null {
  const match = /^(-?)(\d{1,30})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(text)
  if (!match) return null
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const shift = decimals + Number(exponent) - fraction.length
  const digits = BigInt(whole + fraction)
  const scale = 10n ** BigInt(Math.abs(shift))
  const nano = shift >= 0 ? digits * scale : (2n * digits + scale) / (2n * scale)
  return sign === '-' ? -nano : nano
}

/** The pages of a file: one, a list of them, or one after the other (`curl … >> FILE`). Throws Failure. */
export function pagesOf(text: string, file: string): Place[] {
  const values = wholes(text).map((part, index) => parse(part, file, index + 1))
  const pages = values.flatMap((value) => (Array.isArray(value) ? value : [value]))
  if (pages.length === 0) throw new Failure(`--from: ${file} holds no page: give the answer as the vendor sent it.`)
  return pages.map((page, index) => new Place(page, file, `page ${index + 1}`))
}

function parse(text: string, file: string, nth: number): unknown {
  try {
    return JSON.parse(text, (_name, value, context?: { source?: string }) =>
      typeof value === 'number' ? new Digits(context?.source ?? String(value)) : value,
    )
  } catch {
    throw new Failure(`--from: ${file}: value ${nth} is not JSON, or not all of it: fetch it again. CSV files are not read.`)
  }
}

/** A text cut after each whole object or list that stands for itself. */
function wholes(text: string): string[] {
  const found: string[] = []
  let depth = 0
  let from = 0
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token.startsWith('"')) continue
    depth += token === '{' || token === '[' ? 1 : -1
    if (depth > 0) continue
    found.push(text.slice(from, index + 1))
    from = index + 1
    depth = 0
  }
  const rest = text.slice(from)
  return rest.trim() === '' ? found : [...found, rest]
}
