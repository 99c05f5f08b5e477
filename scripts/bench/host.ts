// A host that costs as little as it can: a process of its own that answers OpenAI's chat route in Ollama's shapes, with no model behind it.
// What it sends is told by the request's own text, so that it passes every gateway: "tokens=16 every=20", milliseconds between tokens.
import { createServer, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

const HEAD = '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"bench","system_fingerprint":"fp_ollama"'
const WORDS = [' The', ' box', ' hums', ' warm', ' and', ' counts', ' each', ' word']
/** Streams of more tokens than this go out in pieces of as many, as far as there is room. */
const PIECE_TOKENS = 400

function frame(content: string): string {
  return `data: ${HEAD},"choices":[{"index":0,"delta":{"role":"assistant","content":"${content}"},"finish_reason":null}]}\n\n`
}

function frames(tokens: number): string {
  return Array.from({ length: tokens }, (_, index) => frame(word(index))).join('')
}

function end(tokens: number, usageAsked: boolean): string {
  const usage = `data: ${HEAD},"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":${tokens},"total_tokens":${20 + tokens}}}\n\n`
  const stop = `data: ${HEAD},"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]}\n\n`
  return `${stop}${usageAsked ? usage : ''}data: [DONE]\n\n`
}

function whole(tokens: number): string {
  const content = Array.from({ length: tokens }, (_, index) => word(index)).join('')
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1764000000,
    model: 'bench',
    system_fingerprint: 'fp_ollama',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 20, completion_tokens: tokens, total_tokens: 20 + tokens },
  })
}

function word(index: number): string {
  return WORDS[index % WORDS.length] ?? ''
}

/** Microseconds of a clock that all processes of this machine share. */
function nowMicros(): bigint {
  return process.hrtime.bigint() / 1000n
}

let pacedStreams = 0

function paced(response: ServerResponse, tokens: number, everyMs: number, usageAsked: boolean): void {
  let sent = 0
  let timer: NodeJS.Timeout
  const send = () => {
    if (sent < tokens) {
      sent++
      // The caller reads off it how long a token was on its way.
      response.write(frame(`${word(sent)} t=${nowMicros()}`))
    } else {
      clearInterval(timer)
      response.end(end(tokens, usageAsked))
    }
  }
  response.flushHeaders()
  // Streams that all sent at the same moment would wait for one another.
  timer = setTimeout(
    () => {
      timer = setInterval(send, everyMs)
      send()
    },
    (pacedStreams++ * 7) % everyMs,
  )
  response.on('close', () => clearInterval(timer))
}

function* long(tokens: number, usageAsked: boolean): Generator<string> {
  const piece = frames(PIECE_TOKENS)
  for (let sent = 0; sent < tokens; sent += PIECE_TOKENS) yield piece
  yield end(tokens, usageAsked)
}

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (piece) => {
    body += piece
  })
  request.on('end', () => {
    const tokens = Number(/tokens=(\d+)/.exec(body)?.[1] ?? 16)
    const everyMs = Number(/every=(\d+)/.exec(body)?.[1] ?? 0)
    // A peer writes JSON with or without spaces.
    const usageAsked = /"include_usage":\s*true/.test(body)
    if (!/"stream":\s*true/.test(body)) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(whole(tokens))
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (everyMs > 0) paced(response, tokens, everyMs, usageAsked)
    else if (tokens > PIECE_TOKENS) Readable.from(long(tokens, usageAsked)).pipe(response)
    else response.end(frames(tokens) + end(tokens, usageAsked))
  })
})
server.keepAliveTimeout = 60_000
server.on('error', (error) => process.send?.({ error: error.message }))
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => process.send?.(server.address()))
process.on('disconnect', () => process.exit())
