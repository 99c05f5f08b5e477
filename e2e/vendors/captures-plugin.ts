// Gives tests inside workerd, which cannot read the disk, the captured exchanges of VENDOR_CAPTURES as a module.
import type { Plugin } from 'vitest/config'
import { vendorCaptures } from './fixtures.ts'

const NAME = 'virtual:vendor-captures'

/** The module's default export is a list for each vendor; all are empty where the variable is not set. */
export function vendorCapturesModule(): Plugin {
  return {
    name: 'vendor-captures',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined
      const captures = { openai: vendorCaptures('openai'), anthropic: vendorCaptures('anthropic') }
      const wanted = Boolean(process.env.VENDOR_CAPTURES)
      // Here, since a test's own console is silent where it passes.
      if (wanted) console.info(`${captures.openai.length + captures.anthropic.length} captured exchanges with vendors, for workerd`)
      return `export const wanted = ${wanted}\nexport default ${JSON.stringify(captures)}`
    },
  }
}
