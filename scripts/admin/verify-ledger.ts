// verify-ledger: proves that the books agree, or names every row that does not.
import type { Command } from 'commander'
import { type Proven, proveLedger } from '../../worker/ledger/proofs.ts'
import { findingsOf, INSERT_VERIFICATION, verificationJson } from '../../worker/ledger/verification.ts'
import { formatDecimal } from '../../worker/money.ts'
import type { Context, Io, Output } from './context.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dayName, plural } from './table.ts'

interface Options extends CommonOptions {
  record: boolean
}

/** How long nothing may be said, milliseconds. */
const SILENCE_MS = 2_000

export function verifyLedgerCommand(shell: Shell): Command {
  return shell
    .command(
      'verify-ledger',
      'Proves that usage, prices, adjustments, daily sums and spend agree. Exit code 1 if they do not.',
      'verify-ledger',
    )
    .option('--no-record', 'do not keep the result, which /health shows')
    .action((options: Options) => shell.run(options, (context) => verifyLedger(context, options.record)))
}

async function verifyLedger({ db, io }: Context, record: boolean): Promise<Output> {
  const startMs = performance.now()
  const progress = sayWhatTakesLong(io)
  const proven = await proveLedger((sql) => db.all(sql), { asking: progress.asking }).finally(progress.end)
  if (record) await db.all(INSERT_VERIFICATION, [verificationJson(proven, performance.now() - startMs)])
  return outputOf(proven)
}

function outputOf(proven: readonly Proven[]): Output {
  const proofs = proven.map(({ proof, checked, disagreeing }) => ({ proof, checked, findings: disagreeing.map(wordRow) }))
  const findings = findingsOf(proven)
  const lines = proofs.flatMap((proof) => [
    `${proof.findings.length === 0 ? 'ok   ' : 'WRONG'} ${proof.proof} (${plural(proof.checked, 'row')})`,
    ...proof.findings.map((finding) => `      ${finding}`),
  ])
  const end = findings === 0 ? 'The ledger agrees.' : `The ledger disagrees in ${plural(findings, 'row')}.`
  return { json: { ok: findings === 0, proofs }, text: [...lines, end].join('\n'), exitCode: findings === 0 ? 0 : 1 }
}

/** Names on standard error the proof that is being asked for, every two seconds. */
function sayWhatTakesLong(io: Io) {
  let current = 'counting what there is'
  const timer = setInterval(() => io.err(`proving: ${current} …\n`), SILENCE_MS)
  return {
    asking: (proof: string) => {
      current = proof
    },
    end: () => clearInterval(timer),
  }
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
