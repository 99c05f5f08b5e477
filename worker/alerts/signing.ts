// Who an alert is from: Standard Webhooks' signature (https://www.standardwebhooks.com), with a secret for each target.
import { createHmac, hash } from 'node:crypto'
import { Webhook } from 'standardwebhooks'

/**
 * The secret that a target's receiver checks with. Each has its own, made from the gateway's: with a common one every customer could sign alerts
 * to the others, and a stored one would be one more secret in the database.
 */
export function targetSecret(signingSecret: string, targetId: number): string {
  return `whsec_${createHmac('sha256', signingSecret).update(`alert target ${targetId}`).digest('base64')}`
}

/** The same for every attempt at an alert, so that a receiver can tell what it has had: without a full stop, as the standard asks. */
export function webhookId(targetId: number, alertId: string): string {
  return `msg_${hash('sha256', `${targetId}:${alertId}`).slice(0, 32)}`
}

export function signatureHeaders(secret: string, id: string, body: string, nowMs: number): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(nowMs / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, new Date(nowMs), body),
  }
}
