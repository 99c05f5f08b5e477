// API tokens: is this one good?
import { type Api, fail, ok } from '../envelope.ts'

export function tokens(api: Api): void {
  api.get('/user/tokens/verify', (c) => {
    const { id, owner, status } = c.get('token')
    return owner === 'user' ? ok(c, { id, status }) : fail(c, 401, 1000, 'Invalid API Token')
  })
  api.get('/accounts/:account/tokens/verify', (c) => {
    const { id, owner, status, accounts } = c.get('token')
    return owner === 'account' && accounts.has(c.req.param('account')) ? ok(c, { id, status }) : fail(c, 401, 1000, 'Invalid API Token')
  })
}
