// The owner's own secrets, such as keys of OpenAI and Anthropic: on their way from .dev.vars to the Worker.
import { ownSecrets } from '../dev-vars.ts'
import { addSecrets, readSecrets } from '../secrets-file.ts'
import type { Step } from '../setup-context.ts'

export const vendorKeys: Step = {
  name: 'Keys of .dev.vars',
  why: "your keys of OpenAI, Anthropic and Stripe, if you have any: they become the Worker's secrets",
  rights: [],
  applies: () => true,

  async find({ directory }) {
    const own = await ownSecrets(directory)
    const names = Object.keys(own)
    if (names.length === 0) return 'none'
    const kept = await readSecrets(directory)
    return names.every((name) => kept[name] === own[name]) ? names.join(', ') : null
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
