// Ollama's model names: many spellings of one model are made one, before allow-lists and prices look at them.

const NAME = /^(?:[a-z0-9][a-z0-9._-]*(?::[0-9]+)?\/)?(?:[a-z0-9_][a-z0-9._-]*\/)?[a-z0-9_][a-z0-9._-]*(?::[a-z0-9_][a-z0-9._-]*)?$/

/**
 * The one spelling of an Ollama model: lower case, a tag always, no default registry or namespace
 * (` GEMMA3:270M `, `library/gemma3:270m`, `https://registry.ollama.ai/library/gemma3:270m` and `gemma3:270m:local` are all `gemma3:270m`).
 * Returns null for what Ollama would refuse as a name. Source of the rules: Ollama's types/model and what its server was seen to accept.
 */
export function canonicalModel(asked: string): string | null {
  let name = asked.trim().toLowerCase()
  if (name.length > 256) return null
  name = name.replace(/^https?:\/\//, '').replace(/^registry\.ollama\.ai\//, '')
  name = name.replace(/^library\//, '').replace(/:local$/, '')
  if (!NAME.test(name) || name.includes('..')) return null
  return name.slice(name.lastIndexOf('/') + 1).includes(':') ? name : `${name}:latest`
}

/** Whether a canonical name runs on ollama.com, on the account of the host's owner, rather than on the host. */
export function isCloudModel(canonical: string): boolean {
  return /(?::|-)cloud$/.test(canonical)
}

/**
 * The name that a vendor's model has if it is meant: vendors' ids have no tag, so the canonical name without the one that was put there.
 * What was asked for with a tag is the host's alone.
 */
export function vendorName(asked: string, canonical: string): string {
  return asked.trim().toLowerCase().endsWith(':latest') ? canonical : canonical.replace(/:latest$/, '')
}
