// Whether CLOUDFLARE_API_TOKEN is a good one at all, told in set-up's words; what it may do the calls themselves tell.
import Cloudflare from 'cloudflare'
import { Failure } from '../admin/context.ts'
import { explain } from '../setup/problem.ts'
import { checkAccount, verifyToken } from '../setup/rights.ts'
import { refused } from './running.ts'

/** Throws Failure: nobody's token, one that has ended, or one of another account. */
export async function checkToken(client: Cloudflare, account: string): Promise<void> {
  try {
    await verifyToken(client, account)
    await checkAccount(client, account)
  } catch (error) {
    if (error instanceof Cloudflare.APIConnectionError) throw refused(error, '')
    throw new Failure((explain(error, []) as Error).message)
  }
}
