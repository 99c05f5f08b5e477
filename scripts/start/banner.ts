// What a start prints once it serves.
import type { Demo } from './demo.ts'
import type { Model } from './ollama.ts'
import { DEFAULT_STATE_DIR } from './settings.ts'
import { KEY_SETTINGS, VENDOR_NAMES, type VendorSetting } from './vendors.ts'

export interface BannerFacts {
  url: string
  ollama: { about: string; isStandIn: boolean }
  /** With how many of its models have a price. */
  vendors: (VendorSetting & { models: number })[]
  stateDir: string
  /** Requests of an earlier run that were settled now. */
  recovered: number
  demo: Demo | null
  demoKeyPath: string
  models: Model[]
  unpriced: string[]
  /** How many there are, the demo customer too. */
  customers: number
  /** Whether this start made the demo customer. */
  madeDemo: boolean
}

const UNPRICED_SHOWN = 5

/** The whole greeting, lines and all. Every command in it works when pasted. */
export function banner(facts: BannerFacts): string {
  const rows: [string, string][] = [
    ['Gateway', facts.url],
    ['Ollama', facts.ollama.about],
  ]
  if (facts.ollama.isStandIn) {
    rows.push(['', 'For a real one: start Ollama or set OLLAMA_BASE_URL in .dev.vars, then start again.'])
    if (facts.customers > (facts.demo === null ? 0 : 1))
      rows.push(['', 'CAUTION: your customers are answered, and billed, by the stand-in.'])
  }
  rows.push(...vendorRows(facts), ['State', facts.stateDir])
  if (facts.recovered > 0) rows.push(['', `${count(facts.recovered, 'request')} of an earlier run had not ended; settled now.`])
  rows.push(...demoRows(facts), ...tryRows(facts), ...modelRows(facts))
  return rows.map(([title, text]) => (text === '' ? '' : `${title.padEnd(10)}${text}`)).join('\n')
}

/** Nothing of a vendor that has neither a key nor a price. */
function vendorRows({ vendors, stateDir }: BannerFacts): [string, string][] {
  return vendors.flatMap(({ vendor, keyFrom, host, models }): [string, string][] => {
    const title = VENDOR_NAMES[vendor]
    if (keyFrom === null && models === 0) return []
    if (keyFrom === null) return [[title, `${priced(models)}, not offered: put ${KEY_SETTINGS[vendor]} into .dev.vars, then start again.`]]
    const key = `${KEY_SETTINGS[vendor]} is from ${keyFrom}${host === null ? '' : ` and goes to ${host}`}`
    if (models > 0) return [[title, `${count(models, 'model')} offered; ${key}.`]]
    return [
      [title, `No model has a price; ${key}.`],
      ['', `${admin(stateDir)} import-prices --vendor ${vendor}`],
    ]
  })
}

function demoRows({ demo, demoKeyPath, madeDemo, stateDir }: BannerFacts): [string, string][] {
  if (demo === null) return []
  const key =
    demo.key === null
      ? `no key of its works here; a new one: ${admin(stateDir)} generate-key ${demo.customerId}`
      : `its key is in ${demoKeyPath}`
  return [['Customer', `Demo (${demo.customerId})${madeDemo ? ', made now, $5 a month' : ''}, ${key}`]]
}

function tryRows({ url, demo, models, unpriced, stateDir }: BannerFacts): [string, string][] {
  const customer = demo?.customerId ?? 1
  const model = models.find((one) => one.chat && !unpriced.includes(one.name))?.name
  const body = JSON.stringify({ model: model ?? 'MODEL', messages: [{ role: 'user', content: 'Why is the sky blue?' }] })
  return [
    ['', ''],
    ['Try it', `curl -N ${url}/api/chat -H 'Authorization: Bearer ${demo?.key ?? 'sk_YOUR_KEY'}' -d '${body}'`],
    ['Usage', `${admin(stateDir)} usage-report`],
    ['Budget', `${admin(stateDir)} check-budget ${customer}`],
  ]
}

function modelRows({ models, unpriced, stateDir }: BannerFacts): [string, string][] {
  if (models.length === 0)
    return [
      ['', ''],
      ['No model', `The host lists none: ollama pull gemma3, then ${admin(stateDir)} list-models`],
    ]
  if (unpriced.length === 0) return []
  const rows = unpriced
    .slice(0, UNPRICED_SHOWN)
    .map((model) => `${admin(stateDir)} set-pricing ${model} 0.0001 0 --input 0.10 --output 0.40`)
  if (unpriced.length > UNPRICED_SHOWN) rows.push(`${unpriced.length - UNPRICED_SHOWN} more: ${admin(stateDir)} list-models`)
  return [['', ''], ...rows.map((text, index): [string, string] => [index === 0 ? 'No price' : '', text])]
}

/** The command line, pointed at this database. */
function admin(stateDir: string): string {
  return `${stateDir === DEFAULT_STATE_DIR ? '' : `STATE_DIR=${stateDir} `}npm run admin --`
}

function priced(models: number): string {
  return models === 1 ? '1 model has a price' : `${models} models have a price`
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
