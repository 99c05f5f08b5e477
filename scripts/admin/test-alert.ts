// test-alert: an alert that says nothing but that it came.
import { Argument, type Command } from 'commander'
import { payloadOf } from '../../worker/alerts/alert.ts'
import { shownUrl } from '../../worker/alerts/target-url.ts'
import { findTarget } from './alert-targets.ts'
import { id } from './arguments.ts'
import { audited } from './audit.ts'
import { NOW_MS } from './clock.ts'
import type { Context, Output } from './context.ts'
import type { CommonOptions, Shell } from './shell.ts'

export function testAlertCommand(shell: Shell): Command {
  return shell
    .command('test-alert', 'Sends a test to a target, with the next minute.', 'test-alert 2')
    .addArgument(new Argument('<alert_id>', 'as in list-alerts').argParser(id))
    .action((targetId: number, options: CommonOptions) => shell.run(options, (context) => testAlert(context, targetId)))
}

async function testAlert({ db, who, gateway, remote }: Context, targetId: number): Promise<Output> {
  const target = await findTarget(db, targetId)
  const payload = payloadOf('test', Date.now(), {
    severity: 'info',
    title: 'A test',
    message: `Alerts of the gateway come here (target ${targetId}).`,
    data: { target_id: targetId },
  })
  const alertId = `test:${Date.now()}`
  const change = {
    who,
    command: 'test-alert',
    target: `alert ${targetId}`,
    before: null,
    after: { sql: "SELECT json_object('test', ?)", params: [alertId] },
  }
  await audited(db, change, [
    {
      sql: `INSERT INTO alerts (target_id, id, kind, payload, next_ms, created_ms) VALUES (?, ?, 'test', ?, ${NOW_MS}, ${NOW_MS})`,
      params: [targetId, alertId, JSON.stringify(payload)],
    },
  ])
  const when =
    remote || gateway !== null
      ? 'The gateway delivers it within a minute'
      : 'No gateway runs on this machine: it is delivered within a minute once one does'
  return {
    json: { alert_id: targetId, id: alertId, url: shownUrl(target.url) },
    text: `A test for ${shownUrl(target.url)} is laid down. ${when}; list-alerts shows what became of it.`,
  }
}
