// Delivery: each alert once, signed, tried again for half a day, and none of its secrets in a log.

import { Webhook } from 'standardwebhooks'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { makeTarget, withoutTargets } from '../testing/alerts.ts'
import { db, migrate } from '../testing/ledger.ts'
import { type Payload, payloadOf, writeAlerts } from './alert.ts'
import { deliver, type Post } from './deliver.ts'
import type { Message } from './formats.ts'
import { targetSecret, webhookId } from './signing.ts'

beforeAll(migrate)
beforeEach(withoutTargets)

const SECRET = 'a-signing-secret-of-more-than-32-characters'
const MINUTE = 60_000
const NOW = Date.UTC(2026, 10, 24, 12)

function payload(): Payload {
  return payloadOf('host', NOW, { severity: 'critical', title: 'The host is down', message: 'Since noon.', data: { state: 'tunnel' } })
}

async function lay(targetId: number, id = 'host:tunnel:1', content = payload()): Promise<void> {
  await writeAlerts(db, [{ id, targetId, atMs: NOW, payload: content }], NOW).run()
}

/** A receiver that gives these answers in turn, and then 200. */
function receiver(...answers: Awaited<ReturnType<Post>>[]) {
  const got: { url: string; message: Message }[] = []
  const post: Post = async (url, message) => {
    got.push({ url: url.href, message })
    return answers.shift() ?? 200
  }
  return {
    got,
    run: (nowMs: number, alertSigningSecret: string | null = SECRET) => deliver({ db, nowMs, config: { alertSigningSecret }, post }),
  }
}

const rowOf = (targetId: number) =>
  db.prepare('SELECT attempts, delivered_ms, gave_up_ms, error, next_ms FROM alerts WHERE target_id = ?').bind(targetId).first()

test('a delivered alert is not sent again, and its signature holds for the secret of its target alone', async () => {
  const [target, other] = [await makeTarget(), await makeTarget({ url: 'https://example.com/other' })]
  await lay(target)
  await lay(other)
  const { got, run } = receiver()
  expect(await run(NOW)).toBe(2)
  expect(await run(NOW + 600 * MINUTE)).toBe(0)
  const sent = got.find(({ url }) => url === 'https://example.com/hook')?.message
  expect(new Webhook(targetSecret(SECRET, target)).verify(sent?.body ?? '', sent?.headers ?? {})).toEqual(payload())
  expect(() => new Webhook(targetSecret(SECRET, other)).verify(sent?.body ?? '', sent?.headers ?? {})).toThrow('No matching signature')
  expect(sent?.headers['webhook-id']).toBe(webhookId(target, 'host:tunnel:1'))
  expect(webhookId(target, 'host:tunnel:1')).toMatch(/^msg_[0-9a-f]{32}$/)
  expect(await rowOf(target)).toEqual({ attempts: 1, delivered_ms: NOW, gave_up_ms: null, error: null, next_ms: NOW + MINUTE })
})

test('two runs at once take each alert once', async () => {
  const target = await makeTarget()
  for (let n = 0; n < 30; n++) await lay(target, `host:tunnel:${n}`)
  const { got, run } = receiver()
  const taken = await Promise.all([run(NOW), run(NOW)])
  // Twenty a run.
  expect(taken.sort()).toEqual([10, 20])
  expect(new Set(got.map(({ message }) => message.headers['webhook-id'])).size).toBe(30)
  expect(got).toHaveLength(30)
})

test('what fails comes again after 1, 5, 25 minutes, 2 and 10 hours under the same id, and is then given up', async () => {
  const target = await makeTarget()
  await lay(target)
  const { got, run } = receiver(500, 'no answer', 301, 'no answer in time', 404, 503)
  let at = NOW
  for (const [error, minutes] of [
    ['status 500', 1],
    ['no answer', 5],
    ['status 301', 25],
    ['no answer in time', 120],
    ['status 404', 600],
  ] as const) {
    await run(at)
    expect(await rowOf(target)).toMatchObject({ error, delivered_ms: null, gave_up_ms: null, next_ms: at + minutes * MINUTE })
    expect(await run(at + minutes * MINUTE - 1)).toBe(0)
    at += minutes * MINUTE
  }
  await run(at)
  expect(await rowOf(target)).toMatchObject({ attempts: 6, error: 'status 503', gave_up_ms: at })
  expect(await run(at + 6000 * MINUTE)).toBe(0)
  expect(new Set(got.map(({ message }) => message.headers['webhook-id'])).size).toBe(1)
})

test('a run that died leaves its alert to a later one; a receiver that is gone is left alone; so is one that was removed', async () => {
  const target = await makeTarget()
  await lay(target)
  const dead = deliver({ db, nowMs: NOW, config: { alertSigningSecret: SECRET }, post: () => Promise.reject(new Error('the run dies')) })
  await expect(dead).rejects.toThrow('the run dies')
  const { run } = receiver(410)
  expect(await run(NOW)).toBe(0)
  expect(await run(NOW + MINUTE)).toBe(1)
  expect(await rowOf(target)).toMatchObject({ attempts: 2, gave_up_ms: NOW + MINUTE, error: 'status 410' })
  const removed = await makeTarget()
  await lay(removed)
  await db.prepare('UPDATE alert_targets SET removed_ms = 1 WHERE id = ?').bind(removed).run()
  expect(await run(NOW + 60 * MINUTE)).toBe(0)
})

test('nothing goes unsigned, or to an address that is not safe', async () => {
  const [unsigned, plain] = [await makeTarget(), await makeTarget({ url: 'http://example.com/hook', format: 'slack' })]
  await lay(unsigned)
  await lay(plain)
  const { got, run } = receiver()
  await run(NOW, null)
  expect(got).toEqual([])
  expect(await rowOf(unsigned)).toMatchObject({ error: 'ALERT_SIGNING_SECRET is not set', delivered_ms: null })
  expect(await rowOf(plain)).toMatchObject({ error: 'the address is neither https nor on this machine' })
  // Set since, it goes out with the next attempt.
  await run(NOW + MINUTE)
  expect(await rowOf(unsigned)).toMatchObject({ error: null, delivered_ms: NOW + MINUTE })
})

test('user and password of an address become a header, and neither they nor anything of the address is logged', async () => {
  const logged = vi.spyOn(console, 'log').mockImplementation(() => {})
  const target = await makeTarget({ url: 'https://:tk_secret@ntfy.example.com/secret-topic?auth=secret', format: 'ntfy' })
  await lay(target)
  const { got, run } = receiver('no answer')
  await run(NOW)
  await run(NOW + MINUTE)
  const lines = logged.mock.calls.flat().join('\n')
  logged.mockRestore()
  expect(got[0]).toMatchObject({
    url: 'https://ntfy.example.com/secret-topic?auth=secret',
    message: { headers: { authorization: `Basic ${btoa(':tk_secret')}` } },
  })
  expect(lines).toContain('"outcome":"failed"')
  expect(lines).toContain('"outcome":"delivered"')
  expect(lines).not.toMatch(/secret|Since noon|signature/)
})
