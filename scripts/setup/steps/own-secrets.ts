// The owner's own secrets, such as keys of OpenAI and Anthropic: on their way from .dev.vars to the Worker.
import { ownSecrets } from '../dev-vars.ts'
import { addSecrets, readSecrets } from '../secrets-file.ts'
import type { Step } from '../setup-context.ts'
import { workerSecrets } from './worker-secrets.ts'

export const vendorKeys: Step = {
  name: 'Keys of .dev.vars',
  why: "your keys of OpenAI, Anthropic and Stripe, if you have any: they become the Worker's secrets",
  rights: ['Account > Workers Scripts > Edit'],
  applies: () => true,

  async find(setup) {
    const { directory } = setup
    const own = await ownSecrets(directory)
    const names = Object.keys(own)
    if (names.length === 0) return 'none'
    const kept = await readSecrets(directory)
    if (names.every((name) => kept[name] === own[name])) return names.join(', ')
    // What the Worker has is not told: a key that was changed goes there by `npm run deploy`.
    const deployed = await workerSecrets(setup)
    return names.every((name) => deployed.has(name)) ? `${names.join(', ')}: the Worker has them` : null
  },

  async make({ directory, dryRun }) {
    const own = await ownSecrets(directory)
    if (!dryRun) await addSecrets(directory, own)
    return Object.keys(own).join(', ')
  },

  async check() {},
  toUndo: async () => null,
  async undo() {
    return null
  },
}
