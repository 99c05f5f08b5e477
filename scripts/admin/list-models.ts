// list-models: what the host has, and what each model costs; for those that cost nothing yet, the command that offers them.
import type { Command } from 'commander'
import { canonicalModel, isCloudModel } from '../../worker/model-name.ts'
import type { Context, Output } from './context.ts'
import { type HostModel, listHostModels } from './host.ts'
import { allPrices, type PriceRow, priceJson, priceText } from './prices.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { plural, table } from './table.ts'

export function listModelsCommand(shell: Shell): Command {
  return shell
    .command('list-models', 'Lists the models on the host and their prices.', 'list-models')
    .action((options: CommonOptions) => shell.run(options, listModels))
}

interface Model {
  name: string
  sizeBytes: number
  offered: boolean
  /** The model's own, or that of `*`. */
  price: PriceRow | null
  /** Why it is not offered, or where its price is from. */
  note: string
  /** What offers it; null: nothing needs to, or can. */
  command: string | null
}

async function listModels({ db, io, gateway, remote }: Context): Promise<Output> {
  const onHost = await listHostModels(io, gateway)
  const newest = new Map(
    (await allPrices(db)).filter(({ state }) => state === 'in force' || state === 'withdrawn').map(({ price }) => [price.model, price]),
  )
  const models = onHost.map((model) => modelOf(model, newest, remote))
  const text = table(models, [
    { title: 'model', value: ({ name }) => name },
    { title: 'size', value: ({ sizeBytes }) => size(sizeBytes), right: true },
    {
      title: 'price',
      value: ({ offered, price, note, command }) =>
        offered && price ? `${priceText(price)}${note && ` (${note})`}` : [note, command].filter(Boolean).join(': '),
    },
  ])
  return {
    json: models.map(({ name, sizeBytes, offered, price, note, command }) => ({
      model: name,
      size_bytes: sizeBytes,
      offered,
      price: price === null ? null : priceJson(price),
      note: note || null,
      command,
    })),
    text: models.length === 0 ? 'The host has no model: ollama pull gemma3' : `${text}\n${plural(models.length, 'model')}`,
  }
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
  const command = `npm run admin -- set-pricing ${name} 0.0001 0 --input 0.10 --output 0.40${remote ? ' --remote' : ''}`
  return { ...none, name, note: price === null ? 'no price' : 'withdrawn', command }
}

/** 291 MB, 4.7 GB: decimal, as `ollama list` has it. */
function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} KB`
}
