// Everything that one run of the bench finds; a section that was left out is null, and NaN is what could not be measured.
import type { BundleSize } from './bundle-size.ts'
import type { Effort } from './effort.ts'
import type { LoadPoint } from './load.ts'
import type { Machine } from './machine.ts'
import type { MemoryRow } from './memory.ts'
import type { PacedRow } from './paced.ts'
import type { Paid } from './paid.ts'
import type { ReportRow } from './reports.ts'
import type { RowCounts } from './row-counts.ts'
import type { ScaleRow } from './scale.ts'
import type { Failures } from './stage.ts'
import type { StartRow } from './start-up.ts'

export interface Results {
  /** YYYY-MM-DD, UTC. */
  date: string
  command: string
  machine: Machine
  effort: Effort
  load: LoadPoint[] | null
  paced: PacedRow[] | null
  paid: Paid | null
  memory: MemoryRow[] | null
  scale: ScaleRow[] | null
  reports: ReportRow[] | null
  rows: RowCounts[] | null
  size: BundleSize | null
  start: StartRow[] | null
  failures: Failures[]
}
