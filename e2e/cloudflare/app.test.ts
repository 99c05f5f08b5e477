import Cloudflare from 'cloudflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cloudflare as StandIn, startCloudflare } from './app.ts'

let standIn: StandIn
let account: string
beforeAll(async () => {
  standIn = await startCloudflare()
  account = standIn.state.addAccount('Ada')
  for (let i = 0; i < 25; i++) standIn.state.addZone(account, `zone-${i}.example`)
})
afterAll(() => standIn.close())

const clientOf = (apiToken: string) => new Cloudflare({ apiToken, baseURL: standIn.url, maxRetries: 0, timeout: 300 })

test("the SDK reads accounts and zones of a token, page by page, and nobody else's", async () => {
  const other = standIn.state.addAccount('Bob')
  standIn.state.addZone(other, 'bob.example')
  const client = clientOf(standIn.state.addToken([account], ['Zone Read', 'Account Settings Read']))
  expect((await client.user.tokens.verify()).status).toBe('active')
  const names: string[] = []
  for await (const zone of client.zones.list()) names.push(zone.name)
  expect(names).toHaveLength(25)
  expect((await client.accounts.list()).result).toEqual([{ id: account, name: 'Ada' }])
})

test('a token that is wrong, expired or without a right is refused in words of Cloudflare', async () => {
  const { state } = standIn
  const errorOf = async (token: string) => {
    const error = await clientOf(token)
      .user.tokens.verify()
      .catch((caught: Error) => caught)
    return error instanceof Cloudflare.APIError ? [error.status, error.errors[0]?.code] : error
  }
  expect(await errorOf('short')).toEqual([400, 6003])
  expect(await errorOf('a-token-of-nobody-at-all')).toEqual([401, 1000])
  expect(await errorOf(state.addToken([account], [], { status: 'expired' }))).toMatchObject({ status: 'expired' })
  expect(await errorOf(state.addToken([account], [], { owner: 'account' }))).toEqual([401, 1000])
  expect((await clientOf(state.addToken([account], [])).zones.list()).result).toEqual([])
})

test('a call fails as it is told to, once', async () => {
  const client = clientOf(standIn.state.addToken([account], ['Zone Read']))
  for (const [as, message] of [
    [429, /429/],
    [500, /500/],
    ['hang', /timed out/],
    ['reset', /Connection error/],
    ['lost', /Connection error/],
  ] as const) {
    standIn.faults.add('GET', /^\/zones/, as)
    await expect(client.zones.list()).rejects.toThrow(message)
    expect((await client.zones.list()).result).toHaveLength(20)
  }
})
