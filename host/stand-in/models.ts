// The four models on the box, what each can do, and Ollama's many names for one of them.

export type Ability = 'completion' | 'tools' | 'thinking' | 'embedding'

export interface Model {
  id: string
  can: readonly Ability[]
}

const MODELS: readonly Model[] = [
  { id: 'gemma3:270m', can: ['completion'] },
  { id: 'chat-small:latest', can: ['completion'] },
  { id: 'toy-tools:latest', can: ['completion', 'tools', 'thinking'] },
  { id: 'embed-small:latest', can: ['embedding'] },
]

/** The one name of a model: lower case, no scheme, no default registry or namespace, always with a tag. */
export function canonicalName(name: string): string {
  const bare = name
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/^registry\.ollama\.ai\//, '')
    .replace(/^library\//, '')
    .replace(/:local$/, '')
  return bare.includes(':') ? bare : `${bare}:latest`
}

/** The model that Ollama would run for this name; null when it has none. */
export function modelNamed(name: string): Model | null {
  const id = canonicalName(name)
  return MODELS.find((model) => model.id === id) ?? null
}
