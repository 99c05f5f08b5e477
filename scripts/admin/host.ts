// The Ollama host, asked which models it has.
import * as z from 'zod'
import { configOf } from '../../worker/config.ts'
import type { GatewayFile } from '../database/gateway-file.ts'
import { Failure, type Io } from './context.ts'

const TIMEOUT_MS = 5_000

const tags = z.object({
  models: z.array(z.object({ name: z.string(), size: z.number().nonnegative(), remote_host: z.string().optional() })),
})
export type HostModel = z.infer<typeof tags>['models'][number]

/** The models of the host that the running gateway uses, else of OLLAMA_BASE_URL. Throws Failure. */
export async function listHostModels(io: Io, gateway: GatewayFile | null): Promise<HostModel[]> {
  const { ollamaBaseUrl, access } = settings(io)
  const url = gateway?.ollama ?? ollamaBaseUrl
  // The token is for the host of the settings and for nobody else.
  const headers: Record<string, string> =
    access !== null && url === ollamaBaseUrl
      ? { 'CF-Access-Client-Id': access.clientId, 'CF-Access-Client-Secret': access.clientSecret }
      : {}
  // A redirect would carry the token along.
  const response = await fetch(`${url}/api/tags`, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    (error) => {
      throw new Failure(`OLLAMA_BASE_URL: ${url} ${whyNot(error)}; start Ollama, or set it to where Ollama answers.`)
    },
  )
  if (isAccessRefusal(response)) {
    throw new Failure(`CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET: Cloudflare Access does not let us in to ${url}; check both.`)
  }
  const read = tags.safeParse(await response.json().catch(() => null))
  if (!response.ok || !read.success)
    throw new Failure(`OLLAMA_BASE_URL: ${url} answers ${response.status}, but not as Ollama does; check the address.`)
  return read.data.models
}

function settings(io: Io): ReturnType<typeof configOf> {
  try {
    return configOf({ ...io.environment })
  } catch (error) {
    throw new Failure((error as Error).message)
  }
}

/** Access answers with its login page, or with 401 or 403 and a page; Ollama has no pages. */
function isAccessRefusal({ status, headers }: Response): boolean {
  const page = (headers.get('content-type') ?? '').startsWith('text/html')
  return (status >= 300 && status < 400) || ((status === 401 || status === 403) && page)
}

function whyNot(error: Error & { cause?: NodeJS.ErrnoException }): string {
  if (error.name === 'TimeoutError') return `does not answer within ${TIMEOUT_MS / 1000} s`
  return error.cause?.code === 'ECONNREFUSED' ? 'refuses the connection' : `cannot be reached (${error.cause?.code ?? error.message})`
}
