// remove-alert: no more alerts go to a target; what was still to be delivered is not.
import { Argument, type Command } from 'commander'
import { shownUrl } from '../../worker/alerts/target-url.ts'
import { findTarget, TARGET_COLUMNS, targetJson, whomInWords } from './alert-targets.ts'
import { id } from './arguments.ts'
import { audited, rowState } from './audit.ts'
import { NOW_MS } from './clock.ts'
import type { Context, Output } from './context.ts'
import type { AskingOptions, Shell } from './shell.ts'

export function removeAlertCommand(shell: Shell): Command {
  return shell
    .command('remove-alert', 'Sends no more alerts to a target.', 'remove-alert 2 --yes')
    .addArgument(new Argument('<alert_id>', 'as in list-alerts').argParser(id))
    .option('--yes', 'do not ask')
    .action((targetId: number, options: AskingOptions) =>
      shell.runAfterYes(options, `Remove alert target ${targetId}? What is still to be delivered to it is not.`, (context) =>
        removeAlert(context, targetId),
      ),
    )
}

async function removeAlert({ db, who }: Context, targetId: number): Promise<Output> {
  const target = await findTarget(db, targetId)
  const state = rowState('alert_targets', TARGET_COLUMNS, targetId)
  const only = { sql: 'SELECT 1 FROM alert_targets WHERE id = ? AND removed_ms IS NULL', params: [targetId] }
  await audited(db, { who, command: 'remove-alert', target: `alert ${targetId}`, before: state, after: state, only }, [
    { sql: `UPDATE alert_targets SET removed_ms = ${NOW_MS} WHERE id = ? AND removed_ms IS NULL`, params: [targetId] },
    {
      sql: `UPDATE alerts SET gave_up_ms = ${NOW_MS}, error = 'the target was removed' WHERE target_id = ? AND delivered_ms IS NULL AND gave_up_ms IS NULL`,
      params: [targetId],
    },
  ])
  return {
    json: targetJson(target),
    text: `Alert target ${targetId} of ${whomInWords(target.customerId)} (${shownUrl(target.url)}) is removed.`,
  }
}
