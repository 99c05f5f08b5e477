// Whether a vendor takes a key: asked for its list of models, which costs nothing.
import type { VendorAccess } from '../../worker/config.ts'
import { Failure } from '../admin/context.ts'
import type { Vendor } from '../catalogue/format.ts'
import { type Asked, ask, jsonIn } from '../doctor/ask.ts'
import { VENDOR_NAMES } from '../start/vendors.ts'

const ANTHROPIC_VERSION = '2023-06-01'

/** Where a key that is not needed any more is deleted. */
export const KEY_PAGES: Record<Vendor, string> = {
  openai: 'https://platform.openai.com/api-keys',
  anthropic: 'https://console.anthropic.com/settings/keys',
}

/** How many models it is shown. Throws Failure, without the vendor's words: they hold ends of the key. */
export async function tryProviderKey(fetch: typeof globalThis.fetch, vendor: Vendor, { baseUrl, apiKey }: VendorAccess): Promise<number> {
  const asked =
    vendor === 'openai'
      ? await ask(fetch, `${baseUrl}/models`, { headers: { authorization: `Bearer ${apiKey}` } })
      : await ask(fetch, `${baseUrl}/v1/models`, { headers: { 'x-api-key': apiKey, 'anthropic-version': ANTHROPIC_VERSION } })
  return judgeProviderKey(asked, vendor)
}

export function judgeProviderKey(asked: Asked, vendor: Vendor): number {
  const name = VENDOR_NAMES[vendor]
  const kept = 'Nothing was changed.'
  if ('silent' in asked) throw new Failure(`${name} does not answer (${asked.silent}). ${kept} Try again.`)
  const { status } = asked
  if (status === 401) throw new Failure(`${name} does not know this key (401): copy it again from ${KEY_PAGES[vendor]}. ${kept}`)
  if (status === 403) throw new Failure(`This key of ${name} may not list models (403): give it the right to, and to use them. ${kept}`)
  if (status === 429) throw new Failure(`${name} has no room for this key now, or its account has no credit (429). ${kept}`)
  const { data } = (jsonIn(asked) ?? {}) as { data?: unknown }
  if (status !== 200 || !Array.isArray(data)) throw new Failure(`${name} answers ${status}, but not with its models. ${kept} Try again.`)
  return data.length
}
