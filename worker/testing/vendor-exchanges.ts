// Test support: exchanges with vendors, the project's own and captured ones, for tests inside workerd.
import captured from 'virtual:vendor-captures'
import type { VendorExchange } from '../../e2e/vendors/fixtures.ts'
import { VENDORS, type Vendor } from '../vendors/vendor-request.ts'

export interface NamedExchange {
  /** The vendor's and the file's: `openai/chat-json`. */
  name: string
  vendor: Vendor
  exchange: VendorExchange
}

const files = import.meta.glob<Omit<VendorExchange, 'name'>>('../../e2e/vendors/fixtures/*/*.json', { eager: true, import: 'default' })

/** The project's own. */
export const FIXTURES: readonly NamedExchange[] = Object.entries(files).map(([path, exchange]) => {
  const [vendor, name] = path.slice(0, -'.json'.length).split('/').slice(-2) as [Vendor, string]
  return { name: `${vendor}/${name}`, vendor, exchange: { ...exchange, name } }
})

/** The captured ones; none unless VENDOR_CAPTURES is set. */
export const CAPTURED: readonly NamedExchange[] = VENDORS.flatMap((vendor) =>
  captured[vendor].map((exchange) => ({ name: `${vendor}/${exchange.name}`, vendor, exchange })),
)
