// Turns the Worker's log objects into one readable line each.
import type { RuntimeLog } from './runtime.ts'

type Fields = Record<string, unknown>
type Colour = 'dim' | 'red' | 'yellow' | 'none'

const CODES: Record<Exclude<Colour, 'none'>, number> = { dim: 2, red: 31, yellow: 33 }

/** The object in a log message; null for plain text, as workerd itself writes. */
export function parseLog(message: string): Fields | null {
  if (!message.startsWith('{')) return null
  try {
    const value: unknown = JSON.parse(message)
    return typeof value === 'object' && value !== null && 'event' in value ? (value as Fields) : null
  } catch {
    return null
  }
}

/**
 * `11:02:33  Demo  gemma3:270m  ollama-chat  15 → 128 tokens  $0.000153  first 0.21 s of 2.10 s  completed` for a request,
 * event, message and whatever else there is for any other event. Control characters are taken out: a customer's name must not steer the terminal.
 */
export function logLine(log: RuntimeLog, colours: boolean): string {
  const fields = parseLog(log.message)
  const [text, colour] = fields === null ? plain(log) : fields.event === 'request' ? request(fields) : event(fields, log.level)
  const line = `${clock(log.timestampMs)}  ${text.replace(/\p{Cc}+/gu, ' ').trimEnd()}`
  return colours && colour !== 'none' ? `\u001b[${CODES[colour]}m${line}\u001b[0m` : line
}

/** The Worker's object as it is; what workerd itself says becomes one, so that every line is JSON. */
export function jsonLine(log: RuntimeLog): string {
  return parseLog(log.message) === null ? JSON.stringify({ event: 'runtime', level: log.level, message: log.message }) : log.message
}

function request(fields: Fields): [string, Colour] {
  const outcome = String(fields.outcome ?? fields.status ?? '?')
  const tokens = `${fields.input_tokens ?? '?'} → ${fields.output_tokens ?? '?'} tokens${fields.estimated ? ' (estimated)' : ''}`
  const parts = [
    String(fields.customer ?? '-').padEnd(12),
    String(fields.model ?? '-').padEnd(18),
    String(fields.dialect ?? '-').padEnd(18),
    tokens.padEnd(20),
    `$${fields.cost_usd ?? '?'}`.padEnd(13),
    times(fields).padEnd(24),
    outcome === 'completed' ? outcome : `${outcome} (${[fields.code, fields.status].filter(Boolean).join(', ')})`,
  ]
  return [parts.join('  '), outcome === 'completed' ? 'none' : outcome === 'failed' ? 'red' : 'yellow']
}

function times(fields: Fields): string {
  const total = typeof fields.total_ms === 'number' ? seconds(fields.total_ms) : '?'
  return typeof fields.first_ms === 'number' ? `first ${seconds(fields.first_ms)} of ${total}` : `nothing in ${total}`
}

function event(fields: Fields, level: string): [string, Colour] {
  const { event: name, code, message, ...rest } = fields
  const more = Object.entries(rest).filter(([, value]) => value !== null)
  const text = [name, code, message, more.map(([key, value]) => `${key}=${value}`).join(' ')]
  const colour = name === 'error' || level === 'error' ? 'red' : name === 'refused' || level === 'warn' ? 'yellow' : 'dim'
  return [text.filter((part) => part !== undefined && part !== '').join('  '), colour]
}

function plain(log: RuntimeLog): [string, Colour] {
  return [log.message, log.level === 'error' ? 'red' : log.level === 'warn' ? 'yellow' : 'dim']
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

/** Local time of day. */
function clock(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8)
}
