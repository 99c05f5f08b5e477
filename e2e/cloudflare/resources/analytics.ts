// GraphQL analytics: the one question that is asked, how many rows of D1 were read and written on a day.
import { type Api, body, hasRight } from '../envelope.ts'
import type { CloudflareState } from '../state.ts'

interface Rows {
  rowsRead: number
  rowsWritten: number
}

/** What a day has used up, for whoever plays it. */
export function useRows(state: CloudflareState, account: string, day: string, rows: Rows): void {
  state.of<Rows>('d1_rows', account).set(day, rows)
}

export function analytics(api: Api, state: CloudflareState): void {
  api.post('/graphql', async (c) => {
    const { query, variables } = await body(c)
    const { account = '', day = '' } = (variables ?? {}) as Record<string, string>
    const token = c.get('token')
    if (!String(query).includes('d1AnalyticsAdaptiveGroups')) return c.json({ data: null, errors: [{ message: 'unknown field' }] })
    if (!token.accounts.has(account) || !hasRight(token, 'Account Analytics Read')) {
      const message = `not authorized for that account`
      return c.json({ data: null, errors: [{ message, path: ['viewer', 'accounts', '0'], extensions: { code: 'authz' } }] })
    }
    const sum = state.of<Rows>('d1_rows', account).get(day)
    return c.json({ data: { viewer: { accounts: [{ d1AnalyticsAdaptiveGroups: sum === undefined ? [] : [{ sum }] }] } }, errors: null })
  })
}
