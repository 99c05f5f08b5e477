// The formats, to the byte.
import { expect, test } from 'vitest'
import { payloadOf } from './alert.ts'
import { jsonMessage, ntfyMessage, slackMessage } from './formats.ts'
import { signatureHeaders, targetSecret } from './signing.ts'
import { shownUrl, targetUrl } from './target-url.ts'

const NOW = Date.UTC(2026, 10, 24, 12)
const alert = payloadOf('budget', NOW, {
  severity: 'warning',
  title: '80 % of your budget is used',
  message: '$4.02 of $5 <spent> & counting.',
  data: { customer_id: 1 },
})

test('the signature is the one of the standard', () => {
  // The example that the standard's own libraries are tested by.
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
  expect(signatureHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', id, '{"test": 2432232314}', 1614265330_000)).toEqual({
    'webhook-id': id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

test('each target has a secret of its own', () => {
  expect(targetSecret('x'.repeat(32), 1)).toMatch(/^whsec_[\w+/]{43}=$/)
  expect(targetSecret('x'.repeat(32), 1)).toBe(targetSecret('x'.repeat(32), 1))
  expect(targetSecret('x'.repeat(32), 2)).not.toBe(targetSecret('x'.repeat(32), 1))
  expect(targetSecret('y'.repeat(32), 1)).not.toBe(targetSecret('x'.repeat(32), 1))
})

test('json is what is kept, signed', () => {
  const { headers, body } = jsonMessage(alert, { secret: targetSecret('x'.repeat(32), 1), id: 'msg_1' }, NOW)
  expect(JSON.parse(body)).toEqual({
    type: 'budget',
    timestamp: '2026-11-24T12:00:00.000Z',
    severity: 'warning',
    title: '80 % of your budget is used',
    message: '$4.02 of $5 <spent> & counting.',
    data: { customer_id: 1 },
  })
  expect(Object.keys(headers)).toEqual(['content-type', 'webhook-id', 'webhook-timestamp', 'webhook-signature'])
})

test('ntfy gets text, and headers of ASCII alone', () => {
  expect(ntfyMessage(alert)).toEqual({
    headers: { 'content-type': 'text/plain; charset=utf-8', Title: '80 % of your budget is used', Priority: 'high', Tags: 'warning' },
    body: '$4.02 of $5 <spent> & counting.',
  })
  // base64 of 'Ödön’s budget'
  expect(ntfyMessage({ ...alert, severity: 'critical', title: 'Ödön’s budget' }).headers).toMatchObject({
    Title: '=?UTF-8?B?w5Zkw7Zu4oCZcyBidWRnZXQ=?=',
    Priority: 'urgent',
    Tags: 'rotating_light',
  })
  expect(ntfyMessage({ ...alert, title: 'a\r\nX-Evil: 1' }).headers.Title).toMatch(/^=\?UTF-8\?B\?[\w+/=]+\?=$/)
})

test('Slack gets a text and blocks, with what it would read as markup escaped', () => {
  const { headers, body } = slackMessage(alert)
  expect(headers).toEqual({ 'content-type': 'application/json' })
  expect(JSON.parse(body)).toEqual({
    text: '80 % of your budget is used: $4.02 of $5 &lt;spent&gt; &amp; counting.',
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: '80 % of your budget is used' } },
      { type: 'section', text: { type: 'mrkdwn', text: '$4.02 of $5 &lt;spent&gt; &amp; counting.' } },
      { type: 'context', elements: [{ type: 'mrkdwn', text: 'budget, 2026-11-24 12:00 UTC' }] },
    ],
  })
})

test('an address is https, or on this machine; what is shown of it is no secret', () => {
  for (const good of ['https://example.com', 'http://127.0.0.1:8080/x', 'http://localhost/', 'http://[::1]:80/'])
    expect(targetUrl(good)).not.toBeNull()
  for (const bad of [
    'http://example.com',
    'http://10.0.0.1',
    'http://localhost.example.com',
    'ftp://example.com',
    'javascript:1',
    'example.com',
    '',
  ]) {
    expect(targetUrl(bad), bad).toBeNull()
  }
  expect(shownUrl('https://user:pass@example.com:8443/hook?token=x#y')).toBe('https://example.com:8443/hook')
  expect(shownUrl('https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX')).toBe(
    'https://hooks.slack.com/services/T00…/B00…/XXX…',
  )
  expect(shownUrl('https://ntfy.sh/my-very-own-topic')).toBe('https://ntfy.sh/my-…')
})
