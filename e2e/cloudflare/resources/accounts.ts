// Accounts: those that the token reaches.
import { type Api, fail, hasRight, ok, page } from '../envelope.ts'
import type { CloudflareState } from '../state.ts'

export function accounts(api: Api, state: CloudflareState): void {
  api.get('/accounts', (c) =>
    page(
      c,
      [...state.accounts.values()].filter(({ id }) => c.get('token').accounts.has(id) && hasRight(c.get('token'), 'Account Settings Read')),
    ),
  )
  api.get('/accounts/:account', (c) => {
    const account = state.accounts.get(c.req.param('account'))
    return account && c.get('token').accounts.has(account.id) ? ok(c, account) : fail(c, 403, 9109, 'Invalid account identifier')
  })
}
