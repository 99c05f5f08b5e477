// The Access service token has an end, which nobody notices before the host is gone.
import { DAY_MS } from '../ledger/periods.ts'
import { type Alert, payloadOf } from './alert.ts'

/** How many days before its end it is told. */
const DAYS = [30, 7, 1, 0]

/** @param expiresDay the token's last day, days since 1970. A new date is told anew. */
export function accessTokenAlerts(expiresDay: number, nowMs: number): Alert[] {
  const left = expiresDay - Math.floor(nowMs / DAY_MS)
  const step = DAYS.filter((days) => left <= days).at(-1)
  if (step === undefined) return []
  const date = new Date(expiresDay * DAY_MS).toISOString().slice(0, 10)
  const isOver = left <= 0
  return [
    {
      id: `access-token:${date}:${step}`,
      atMs: nowMs,
      payload: payloadOf('access-token', nowMs, {
        severity: left <= 1 ? 'critical' : 'warning',
        title: isOver ? 'The Access token is at its end' : `The Access token ends in ${left} ${left === 1 ? 'day' : 'days'}`,
        message: `The service token of CF_ACCESS_CLIENT_ID expires on ${date}; after that the host cannot be reached any more. npm run admin -- rotate-access gives the gateway another one; where set-up was not used, refresh it in Zero Trust > Access > Service auth and set CF_ACCESS_TOKEN_EXPIRES to its new date.`,
        data: { expires_on: date, days_left: left },
      }),
    },
  ]
}
