// The request that every subject gets; its text tells the host what to answer.

export interface Chat {
  streaming: boolean
  tokens: number
  /** Between two tokens; 0: all at once. */
  everyMs?: number
  /** Without it the gateway has to ask for the counts itself, and to take them out again. */
  withoutUsage?: boolean
}

export function chatBody(model: string, { streaming, tokens, everyMs = 0, withoutUsage = false }: Chat): string {
  return JSON.stringify({
    model,
    stream: streaming,
    ...(streaming && !withoutUsage ? { stream_options: { include_usage: true } } : {}),
    messages: [{ role: 'user', content: `tokens=${tokens} every=${everyMs}` }],
  })
}
