// The network, and the names in DNS.
import { bad, type Finding, ok } from './finding.ts'

/** The addresses of a name. Rejects as `dns.promises.lookup` does. */
export type Resolve = (hostname: string) => Promise<string[]>

/** A name that is there as long as the network is. */
const KNOWN_NAME = 'api.cloudflare.com'

export async function askNetwork(resolve: Resolve): Promise<Finding> {
  try {
    await resolve(KNOWN_NAME)
    return ok('is there')
  } catch (error) {
    return bad(`${KNOWN_NAME} cannot be found (${codeOf(error)})`, 'Connect this machine to the network, and run npm run doctor again.')
  }
}

export async function askName(resolve: Resolve, hostname: string, remedy: string): Promise<Finding> {
  try {
    return judgeName(hostname, await resolve(hostname), remedy)
  } catch (error) {
    return bad(`${hostname} is not in DNS (${codeOf(error)})`, `${remedy} A new record takes some minutes to be seen everywhere.`)
  }
}

function judgeName(hostname: string, addresses: readonly string[], remedy: string): Finding {
  const [address] = addresses
  if (address === undefined) return bad(`${hostname} has no address`, remedy)
  const home = addresses.find(isPrivate)
  if (home !== undefined) {
    return bad(
      `${hostname} is ${home}, an address of a private network`,
      `It has to be a proxied record (orange cloud) at Cloudflare. ${remedy}`,
    )
  }
  return ok(`${hostname} is ${address}${addresses.length > 1 ? ` and ${addresses.length - 1} more` : ''}`)
}

function isPrivate(address: string): boolean {
  return /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|f[cd][\da-f]{2}:|fe80:)/i.test(address)
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message
}
