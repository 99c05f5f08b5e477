// Whether the deployed Worker reaches the box, as /health/ollama tells it.

const PATIENCE_MS = 30_000

export interface BoxState {
  state: 'ok' | 'limited' | 'down' | 'unknown'
  /** A sentence, for whoever has to mend it; null: all is well. */
  remedy: string | null
}

/** A box that is off is no failure of a deploy: it is told, and that is all. */
export async function boxState(ask: typeof fetch, hostname: string): Promise<BoxState> {
  const unknown: BoxState = { state: 'unknown', remedy: `https://${hostname}/health/ollama does not answer: npm run doctor looks closer.` }
  try {
    const answer = await ask(`https://${hostname}/health/ollama`, { signal: AbortSignal.timeout(PATIENCE_MS) })
    const { state, remedy } = (await answer.json()) as Partial<BoxState>
    return state === undefined ? unknown : { state, remedy: remedy ?? null }
  } catch {
    return unknown
  }
}
