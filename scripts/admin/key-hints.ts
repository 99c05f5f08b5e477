// Vendors whose models have a price and are not offered for want of a key: which setting it is, and where it goes.
import { VENDORS, type Vendor } from '../catalogue/format.ts'
import { KEY_SETTINGS, VENDOR_NAMES } from '../start/vendors.ts'
import type { Context } from './context.ts'

/** Whether there is a key for a vendor; null: the deployed Worker has secrets that nobody can read. */
export function hasKey(vendor: Vendor, { io, remote }: Pick<Context, 'io' | 'remote'>): boolean | null {
  return remote ? null : Boolean(io.environment[KEY_SETTINGS[vendor]]?.trim())
}

/** A line for each of the vendors that no key is known of. */
export function keyHints(vendors: readonly Vendor[], context: Pick<Context, 'io' | 'remote'>): string[] {
  return VENDORS.filter((vendor) => vendors.includes(vendor) && hasKey(vendor, context) !== true).map((vendor) => {
    const [name, setting] = [VENDOR_NAMES[vendor], KEY_SETTINGS[vendor]]
    return context.remote
      ? `${name}'s models are offered where the Worker has the secret ${setting}; if it has none yet: wrangler secret put ${setting}`
      : `${name}'s models are offered by a gateway that has ${setting}: here there is none, so put it into .dev.vars, and start the gateway again.`
  })
}
