// An alert as its receiver wants it: Standard Webhooks' JSON, ntfy's headers, Slack's blocks.
import { minuteText, type Payload, type Severity } from './alert.ts'
import { signatureHeaders } from './signing.ts'

export const FORMATS = ['json', 'ntfy', 'slack'] as const
export type Format = (typeof FORMATS)[number]

export interface Message {
  headers: Record<string, string>
  body: string
}

/** https://docs.ntfy.sh/publish/ */
const NTFY: Record<Severity, { Priority: string; Tags: string }> = {
  info: { Priority: 'default', Tags: 'information_source' },
  warning: { Priority: 'high', Tags: 'warning' },
  critical: { Priority: 'urgent', Tags: 'rotating_light' },
}

/** @param signing the target's secret and the id of the message. */
export function jsonMessage(payload: Payload, signing: { secret: string; id: string }, nowMs: number): Message {
  const body = JSON.stringify(payload)
  return { headers: { 'content-type': 'application/json', ...signatureHeaders(signing.secret, signing.id, body, nowMs) }, body }
}

export function ntfyMessage({ severity, title, message }: Payload): Message {
  return { headers: { 'content-type': 'text/plain; charset=utf-8', Title: headerText(title), ...NTFY[severity] }, body: message }
}

/** https://docs.slack.dev/reference/block-kit/blocks */
export function slackMessage({ type, timestamp, title, message }: Payload): Message {
  const body = {
    text: escaped(`${title}: ${message}`),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title.slice(0, 150) } },
      { type: 'section', text: { type: 'mrkdwn', text: escaped(message).slice(0, 3000) } },
      { type: 'context', elements: [{ type: 'mrkdwn', text: `${type}, ${minuteText(Date.parse(timestamp))}` }] },
    ],
  }
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Slack reads these three. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** A header holds ASCII alone: other text goes as RFC 2047 has it, which ntfy reads. */
function headerText(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  const bytes = new TextEncoder().encode(text)
  return `=?UTF-8?B?${btoa(String.fromCharCode(...bytes))}?=`
}
