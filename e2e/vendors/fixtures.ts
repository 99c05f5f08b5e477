// Exchanges with a vendor: the project's own of `fixtures/`, and captured ones from wherever VENDOR_CAPTURES points.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Vendor } from '../../worker/vendors/vendor-request.ts'

/** What an answer says of its cost, in tokens: buckets that do not overlap, each with a price of its own. */
interface ExpectedUsage {
  /** At the full price: neither read from the cache nor written to it. */
  input: number
  cached_input: number
  /** All lifetimes. */
  cache_write: number
  /** The part of `cache_write` that is kept for the longer lifetime: 1 h, or 12 h. */
  cache_write_1h: number
  /** With what was thought, and what was guessed in vain. */
  output: number
  /** The part of `output` that is not shown. */
  reasoning: number
  /** The model that served, where that is of interest. */
  model?: string
  service_tier?: string
  web_searches?: number
}

/**
 * How an answer ended. `completed`: by the vendor's rules, `incomplete` among them at a limit; `completed_without_usage`: so, too, but with no
 * usage that could be believed; `failed`: the vendor said so at the end of a stream; `error`: a refusal, or an error within a stream; `cut`: it
 * broke off.
 */
type Ended = 'completed' | 'completed_without_usage' | 'incomplete' | 'failed' | 'error' | 'cut'

/** One exchange with a vendor, as its file has it. */
export interface VendorExchange {
  /** The file's, without `.json`. */
  name: string
  about: string
  /** Where a captured one was found. */
  source?: string
  url: string
  /** The body of the request, or those of its fields that matter. */
  request: Record<string, unknown>
  status: number
  headers: Record<string, string>
  /** The exact text, of streams, too. */
  body: string
  ended: Ended
  /** null: nothing on the wire that may be billed by. */
  usage_expected: ExpectedUsage | null
}

const FOLDER = join(import.meta.dirname, 'fixtures')

/** The project's own, by name. */
export function vendorFixtures(vendor: Vendor): VendorExchange[] {
  return read(FOLDER, vendor)
}

/** The project's own of that name. Throws for a name that there is none of. */
export function vendorFixture(vendor: Vendor, name: string): VendorExchange {
  return readOne(FOLDER, vendor, name)
}

/** The captured ones, by name; none unless VENDOR_CAPTURES says where they are. Throws if it does and none are there. */
export function vendorCaptures(vendor: Vendor): VendorExchange[] {
  const folder = process.env.VENDOR_CAPTURES
  if (folder === undefined || folder === '') return []
  const where = join(folder, vendor)
  const found = existsSync(where) ? read(folder, vendor) : []
  if (found.length === 0) throw new Error(`VENDOR_CAPTURES is ${folder}, but there are no captures in ${where}`)
  return found
}

function read(folder: string, vendor: Vendor): VendorExchange[] {
  return readdirSync(join(folder, vendor))
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => readOne(folder, vendor, file.slice(0, -'.json'.length)))
}

function readOne(folder: string, vendor: Vendor, name: string): VendorExchange {
  return { ...JSON.parse(readFileSync(join(folder, vendor, `${name}.json`), 'utf8')), name }
}
