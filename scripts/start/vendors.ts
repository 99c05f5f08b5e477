// The vendors as a start finds them: whether there is a key, where it is from and where it goes, and how many models it would offer.
import type { Caller } from '../../worker/auth.ts'
import { type Config, configOf } from '../../worker/config.ts'
import { offersOf } from '../../worker/offers.ts'
import { VENDORS, type Vendor } from '../catalogue/format.ts'

export const VENDOR_NAMES = { openai: 'OpenAI', anthropic: 'Anthropic' } as const satisfies Record<Vendor, string>
export const KEY_SETTINGS = { openai: 'OPENAI_API_KEY', anthropic: 'ANTHROPIC_API_KEY' } as const satisfies Record<Vendor, string>

/** The settings as they are with nothing but a key for each. */
const WITH_KEYS = configOf(Object.fromEntries(VENDORS.map((vendor) => [KEY_SETTINGS[vendor], 'any'])))

/** Never the key itself. */
export interface VendorSetting {
  vendor: Vendor
  /** null: there is none. */
  keyFrom: 'the environment' | '.dev.vars' | null
  /** Who is asked, if that is not the vendor itself. */
  host: string | null
}

/** @param environment where a variable that is set goes before .dev.vars */
export function vendorSettings({ vendors }: Config, environment: NodeJS.ProcessEnv): VendorSetting[] {
  return VENDORS.map((vendor) => {
    const access = vendors[vendor]
    if (access === undefined) return { vendor, keyFrom: null, host: null }
    const own = WITH_KEYS.vendors[vendor]?.baseUrl === access.baseUrl
    return {
      vendor,
      keyFrom: environment[KEY_SETTINGS[vendor]] === undefined ? '.dev.vars' : 'the environment',
      host: own ? null : new URL(access.baseUrl).host,
    }
  })
}

/** How many models of each vendor are offered where there is a key for it. */
export async function countPricedModels(db: D1Database): Promise<Record<Vendor, number>> {
  const anybody = { models: null } as Caller
  const { vendorModels } = await offersOf({ db, config: WITH_KEYS }, anybody)
  const count = (vendor: Vendor) => vendorModels.filter((model) => model.vendor === vendor).length
  return { openai: count('openai'), anthropic: count('anthropic') }
}
