// A vendor's stand-in: an HTTP server that answers like OpenAI or Anthropic from written or captured exchanges, and keeps what reached it.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Vendor } from '../../worker/vendors/vendor-request.ts'
import { choose } from './choose.ts'
import { type Play, type Played, PlayQueue } from './play.ts'
import { type ReceivedRequest, readRequest } from './request.ts'
import { send } from './send.ts'
import { refused } from './strict.ts'

export interface VendorOptions {
  /** The only key that it takes, or those; the list may change. */
  apiKey: string | readonly string[]
}

export interface VendorServer {
  /** Without `/v1`. */
  url: string
  /** What reached it, oldest first. */
  requests: ReceivedRequest[]
  /** The next request that arrives from now on, as soon as all of it is there. */
  nextRequest(): Promise<ReceivedRequest>
  /** What the next request meets, or the next few. One that is refused for its key or its fields leaves it to the one after it. */
  play(play: Play): Played
  close(): Promise<void>
}

export async function startVendor(vendor: Vendor, options: VendorOptions): Promise<VendorServer> {
  const requests: ReceivedRequest[] = []
  const plays = new PlayQueue()
  let waiting: ((request: ReceivedRequest) => void)[] = []
  let closing = false

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const ended = Promise.withResolvers<boolean>()
    let broke = false
    res.once('close', () => ended.resolve(!res.writableFinished && !broke && !closing))
    const request = await readRequest(req, ended.promise)
    requests.push(request)
    const refusals = [options.apiKey].flat().map((key) => refused(vendor, key, request))
    const refusal = refusals.includes(null) ? null : (refusals[0] ?? null)
    const turn = refusal === null ? plays.take() : undefined
    const answer = refusal ?? turn?.answer ?? choose(vendor, request)
    request.answer = answer.name
    request.status = answer.status
    for (const wake of waiting) wake(request)
    waiting = []
    broke = (await send(res, answer, turn?.manner)) === 'broke'
  }

  const server = createServer((req, res) => {
    serve(req, res).catch((error: unknown) => {
      // A caller that leaves while its body is read is no error; anything else is a bug here and must be seen.
      if (!req.errored) console.error(error)
      res.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    nextRequest: () => new Promise((resolve) => waiting.push(resolve)),
    play: (play) => plays.add(play),
    async close() {
      closing = true
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
