// verify-ledger: proves that the books agree, or names every row that does not.
import type { Command } from 'commander'
import { proveLedger } from '../../worker/ledger/proofs.ts'
import { formatDecimal } from '../../worker/money.ts'
import type { Context, Output } from './context.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dayName, plural } from './table.ts'

export function verifyLedgerCommand(shell: Shell): Command {
  return shell
    .command('verify-ledger', 'Proves that usage, adjustments, daily sums and spend agree. Exit code 1 if they do not.', 'verify-ledger')
    .action((options: CommonOptions) => shell.run(options, verifyLedger))
}

async function verifyLedger({ db }: Context): Promise<Output> {
  const proven = await proveLedger((sql) => db.all(sql))
  const proofs = proven.map(({ proof, checked, disagreeing }) => ({ proof, checked, findings: disagreeing.map(wordRow) }))
  const findings = proofs.reduce((sum, { findings }) => sum + findings.length, 0)
  const lines = proofs.flatMap((proof) => [
    `${proof.findings.length === 0 ? 'ok   ' : 'WRONG'} ${proof.proof} (${plural(proof.checked, 'row')})`,
    ...proof.findings.map((finding) => `      ${finding}`),
  ])
  const end = findings === 0 ? 'The ledger agrees.' : `The ledger disagrees in ${plural(findings, 'row')}.`
  return { json: { ok: findings === 0, proofs }, text: [...lines, end].join('\n'), exitCode: findings === 0 ? 0 : 1 }
}

/** customer_id 1, day 2026-11-24, model m:latest, …: money in dollars, days and times as such. */
function wordRow(row: Record<string, unknown>): string {
  return Object.entries(row)
    .map(([column, value]) => `${column.replace('_nano', '')} ${wordValue(column, value)}`)
    .join(', ')
}

function wordValue(column: string, value: unknown): string {
  if (typeof value !== 'number') return String(value)
  if (column.includes('_nano')) return `$${formatDecimal(value, 9)}`.replace('$-', '-$')
  if (column === 'period' && value === 0) return 'total'
  if (column === 'day' || column === 'period') return dayName(value)
  return column.endsWith('_ms') ? new Date(value).toISOString() : String(value)
}
