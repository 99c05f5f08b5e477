// What captures-plugin.ts makes at load time.
declare module 'virtual:vendor-captures' {
  /** VENDOR_CAPTURES was set. */
  export const wanted: boolean
  const captures: Record<'openai' | 'anthropic', import('./fixtures.ts').VendorExchange[]>
  export default captures
}
