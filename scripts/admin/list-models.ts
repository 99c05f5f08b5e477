// list-models: what the host and the vendors have, and what each model costs; for those that are not offered, what offers them.
import type { Command } from 'commander'
import { canonicalModel, isCloudModel } from '../../worker/model-name.ts'
import { KEY_SETTINGS } from '../start/vendors.ts'
import { type Context, Failure, type Output } from './context.ts'
import { type HostModel, listHostModels } from './host.ts'
import { hasKey } from './key-hints.ts'
import { adminCommand } from './next-command.ts'
import { hostsPriceOf, isVendor, type PriceRow, placeText, priceJson, priceText, soldAs, standingPrices } from './prices.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { type Column, plural, table } from './table.ts'

export function listModelsCommand(shell: Shell): Command {
  return shell
    .command('list-models', 'Lists the models on the host, those of vendors that have a price, and what they cost.', 'list-models')
    .action((options: CommonOptions) => shell.run(options, listModels))
}

interface Model {
  name: string
  /** null: it is not on the host. */
  sizeBytes: number | null
  /** null: nobody can tell from here. */
  offered: boolean | null
  /** The model's own, or that of `*`. */
  price: PriceRow | null
  /** Why it is not offered, or where its price is from. */
  note: string
  /** What offers it; null: nothing needs to, or can. */
  command: string | null
}

async function listModels(context: Context): Promise<Output> {
  const { db, io, gateway, remote } = context
  const standing = await standingPrices(db)
  const vendors = vendorModels(standing, context)
  const { onHost, trouble } = await hostModels(vendors.length > 0, () => listHostModels(io, gateway))
  const models = [...onHost.map((model) => modelOf(model, standing, remote)), ...vendors]
  if (trouble !== null) io.err(`${trouble}\n`)
  return {
    json: models.map(({ name, sizeBytes, offered, price, note, command }) => ({
      model: name,
      upstream: sizeBytes === null ? price?.upstream : 'ollama',
      ...(price === null || soldAs(price) === price.model || sizeBytes !== null ? {} : { upstream_model: soldAs(price) }),
      size_bytes: sizeBytes,
      offered,
      price: price === null ? null : priceJson(price),
      note: note || null,
      command,
    })),
    text: models.length === 0 ? 'The host has no model: ollama pull gemma3' : `${modelsTable(models)}\n${plural(models.length, 'model')}`,
    exitCode: trouble === null ? 0 : 1,
  }
}

/** A host that cannot be asked leaves models of vendors to be listed alone. Throws Failure where there are none. */
async function hostModels(orVendors: boolean, list: () => Promise<HostModel[]>): Promise<{ onHost: HostModel[]; trouble: string | null }> {
  try {
    return { onHost: await list(), trouble: null }
  } catch (error) {
    if (!orVendors || !(error instanceof Failure)) throw error
    return { onHost: [], trouble: error.message }
  }
}

function modelsTable(models: Model[]): string {
  const at: Column<Model> = {
    title: 'at',
    value: ({ sizeBytes, price }) => (sizeBytes === null && price !== null ? placeText(price) : 'ollama'),
  }
  return table(models, [
    { title: 'model', value: ({ name }) => name },
    ...(models.some(({ sizeBytes }) => sizeBytes === null) ? [at] : []),
    { title: 'size', value: ({ sizeBytes }) => (sizeBytes === null ? '-' : size(sizeBytes)), right: true },
    {
      title: 'price',
      value: ({ offered, price, note, command }) =>
        offered !== false && price ? `${priceText(price)}${note && ` (${note})`}` : [note, command].filter(Boolean).join(': '),
    },
  ])
}

/** Models of vendors with a price in force. */
function vendorModels(standing: ReadonlyMap<string, PriceRow>, context: Context): Model[] {
  return [...standing.values()].flatMap((price): Model[] => {
    if (!isVendor(price.upstream) || price.withdrawn === 1) return []
    const model = { name: price.model, sizeBytes: null, price, command: null }
    const hosts = hostsPriceOf(price.model, standing)
    if (hosts !== null) return [{ ...model, offered: false, note: `the name is the host's ${hosts.model}, which was priced later` }]
    const [key, setting] = [hasKey(price.upstream, context), KEY_SETTINGS[price.upstream]]
    if (key === false) return [{ ...model, offered: false, note: `${setting} is not set` }]
    return [{ ...model, offered: key, note: key === null ? `where ${setting} is set` : '' }]
  })
}

function modelOf({ name: tag, size: sizeBytes, remote_host }: HostModel, newest: Map<string, PriceRow>, remote: boolean): Model {
  const name = canonicalModel(tag)
  const none = { sizeBytes, offered: false, price: null, command: null }
  if (name === null) return { ...none, name: tag.replaceAll(/\p{Cc}/gu, '?'), note: 'not a name that can be asked for' }
  if (isCloudModel(name) || remote_host !== undefined) return { ...none, name, note: 'runs on ollama.com: not offered' }
  const forAll = newest.get('*')
  const price = newest.get(name) ?? (forAll?.withdrawn === 0 ? forAll : null)
  if (price?.withdrawn === 0 && price.upstream !== 'ollama') return { ...none, name, note: `priced as a model of ${price.upstream}` }
  if (price?.withdrawn === 0)
    return { name, sizeBytes, offered: true, price, note: price.model === '*' ? 'the price of *' : '', command: null }
  // Names are of letters, digits and a few marks, none of which a shell minds.
  const command = adminCommand({ remote }, `set-pricing ${name} 0.0001 0 --input 0.10 --output 0.40`)
  return { ...none, name, note: price === null ? 'no price' : 'withdrawn', command }
}

/** 291 MB, 4.7 GB: decimal, as `ollama list` has it. */
function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} KB`
}
