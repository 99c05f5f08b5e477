// What the vendor charged beside what customers were billed, by model.
import type { LedgerUsage } from './reconcile-ledger.ts'
import type { Names } from './reconcile-names.ts'
import type { VendorCharge } from './vendor-export.ts'

export interface Charged {
  /** The model, or what the vendor calls the item where it is none. */
  what: string
  /** Null: customers were billed, and the vendor names no charge. */
  chargedNano: bigint | null
  billedNano: bigint
}

export function chargesOf(charges: VendorCharge[], ledger: LedgerUsage[], names: Names): Charged[] {
  const found = new Map<string, Charged>()
  for (const { model, item, nano } of charges) {
    const what = model === null ? item : names(model)
    const { chargedNano = 0n, billedNano = 0n } = found.get(what) ?? {}
    found.set(what, { what, chargedNano: (chargedNano ?? 0n) + nano, billedNano })
  }
  for (const { model, billedNano } of ledger) {
    const what = names(model)
    const { chargedNano = null, billedNano: before = 0n } = found.get(what) ?? {}
    found.set(what, { what, chargedNano, billedNano: before + billedNano })
  }
  return [...found.values()].sort((a, b) => (a.what < b.what ? -1 : 1))
}
