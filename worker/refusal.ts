// Why a request was not admitted, in words that say what is left, what would help, and when.
import { refuseCaller } from './auth.ts'
import type { Config } from './config.ts'
import { GatewayError } from './errors.ts'
import type { Ask, AskReading, Refused, Standing } from './ledger/admission.ts'
import { periodRenewsMs } from './ledger/periods.ts'
import { formatUsd, type NanoUsd } from './money.ts'
import type { ReadRequest } from './read-request.ts'
import type { Upstream } from './schema.ts'

/** The error for a refusal, with Retry-After where waiting helps, and whose request it was. */
export function refusalError(
  refused: Refused,
  ask: Ask,
  read: Pick<ReadRequest, 'readings'>,
  config: Pick<Config, 'vendors' | 'stripe'>,
): GatewayError {
  const error = refusalWords(refused, ask, read, config)
  const { standing } = refused
  if (standing !== null) error.details.who = { customer: standing.customerName, customer_id: standing.customerId, key_id: standing.keyId }
  return error
}

function refusalWords(
  refused: Refused,
  ask: Ask,
  { readings }: Pick<ReadRequest, 'readings'>,
  config: Pick<Config, 'vendors' | 'stripe'>,
): GatewayError {
  const { refusal, standing, upstream } = refused
  switch (refusal) {
    case 'invalid_api_key':
    case 'revoked_api_key':
    case 'expired_api_key':
    case 'account_suspended':
      return refuseCaller(refusal, refused.expiresMs)
    case 'model_not_allowed':
      return new GatewayError(
        'model_not_allowed',
        `This API key may not use the model "${ask.model}": GET /v1/models lists those it may.`,
        {
          param: 'model',
        },
      )
    case 'model_not_found':
      return modelNotFound(ask.model)
    case 'not_read':
      // Without a key for its vendor a model is not offered, whatever it costs.
      return upstream === null || (upstream !== 'ollama' && config.vendors[upstream] === undefined)
        ? modelNotFound(ask.name)
        : notRead(upstream, ask.name, readings[upstream])
    case 'cache_not_priced':
      return new GatewayError(
        'invalid_request',
        `The model "${ask.name}" has no price for what this request would write to its cache: leave out cache_control, or the ttl of its prompt cache.`,
        { param: 'cache_control' },
      )
    case 'host_busy':
      return hostBusy()
    case 'rate_limited': {
      const reading = upstream === null ? undefined : ask.readings[upstream]
      return standing === null || reading === undefined ? rateLimited('Too many requests.', 1) : limitReached(standing, reading)
    }
    case 'budget_exceeded':
      return standing === null
        ? new GatewayError('budget_exceeded', 'The budget is used up.')
        : budgetExceeded(standing, refused.leastNano, config)
  }
}

const ROUTES: Record<Upstream, string> = {
  ollama: 'a model of the host',
  openai: 'an OpenAI model: POST it to /v1/chat/completions or /v1/responses',
  anthropic: 'an Anthropic model: POST it to /v1/messages',
}

/** A model whose upstream has no reading of the request: it says why itself, or speaks other dialects. */
function notRead(upstream: Upstream, model: string, reading: GatewayError | object | undefined): GatewayError {
  return reading instanceof GatewayError ? reading : otherRoute(upstream, model)
}

/** A model that is served on another route. */
export function otherRoute(upstream: Upstream, model: string): GatewayError {
  return new GatewayError('invalid_request', `"${model}" is ${ROUTES[upstream]}.`, { param: 'model' })
}

export function modelNotFound(model: string): GatewayError {
  return new GatewayError('model_not_found', `The model "${model.slice(0, 100)}" is not offered: GET /v1/models lists those that are.`, {
    param: 'model',
  })
}

export function hostBusy(): GatewayError {
  return new GatewayError('host_busy', 'The host is working on as many requests as it takes at once: try again in a moment.', {
    retryAfterSeconds: 2,
  })
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function rateLimited(message: string, retryAfterSeconds: number): GatewayError {
  return new GatewayError('rate_limited', message, { retryAfterSeconds })
}

function limitReached(standing: Standing, { inputBound, runs, outputLeast, outputAsked }: AskReading): GatewayError {
  const minute =
    standing.oldestMs === null ? 60 : Math.min(60, Math.max(1, Math.ceil((standing.oldestMs + 60_000 - standing.nowMs) / 1000)))
  const least = inputBound + runs * Math.min(outputLeast, outputAsked ?? outputLeast)
  const limits = [
    ['This API key', standing.key],
    ['This account', standing.customer],
  ] as const
  for (const [whose, limit] of limits) {
    if (limit.concurrency !== null && limit.inFlight >= limit.concurrency) {
      return rateLimited(`${whose} may run ${plural(limit.concurrency, 'request')} at once and does so: wait for one to end.`, 1)
    }
    if (limit.rpm !== null && limit.requests >= limit.rpm) {
      return rateLimited(`${whose} may make ${plural(limit.rpm, 'request')} a minute and has: wait ${minute} s.`, minute)
    }
  }
  for (const [whose, limit] of limits) {
    if (limit.tpm === null) continue
    if (least > limit.tpm) {
      return new GatewayError(
        'rate_limited',
        `${whose} may use ${limit.tpm} tokens a minute; this request alone may be more: shorten it.`,
        {
          final: true,
        },
      )
    }
    if (limit.tpm - limit.tokens < least) {
      return rateLimited(
        `${whose} may use ${limit.tpm} tokens a minute and has used or reserved ${limit.tokens}: wait ${minute} s.`,
        minute,
      )
    }
  }
  return rateLimited('Too many requests or tokens in the last minute.', minute)
}

/** Which budget is used up, or the balance, what is left of it, what running requests hold of that, and what helps. */
function budgetExceeded(standing: Standing, leastNano: NanoUsd, { stripe }: Pick<Config, 'stripe'>): GatewayError {
  const { what, leftNano, heldNano, remedy } = binding(standing, stripe.paymentLink)
  const held = heldNano > 0 ? `, of which running requests hold $${formatUsd(heldNano)}` : ''
  // Below zero, as it is: what is paid in has to make up for that first.
  const left = `${leftNano < 0 ? '-' : ''}$${formatUsd(Math.abs(leftNano) as NanoUsd)}`
  return new GatewayError(
    'budget_exceeded',
    `The ${what} does not cover this request, which may cost $${formatUsd(leastNano)} at the least: ${left} is left${held}. ${remedy}`,
    { final: true },
  )
}

interface Bound {
  /** 'API key’s budget of $5 (month)'. */
  what: string
  leftNano: number
  heldNano: number
  remedy: string
}

/** What has the smallest room. Where two have the same, what is paid in helps least: it comes last. */
function binding(standing: Standing, paymentLink: string | null): Bound {
  const bounds = [
    ...budgetBound('account’s', standing.customer, standing.nowMs),
    ...budgetBound('API key’s', standing.key, standing.nowMs),
    ...balanceBound(standing, paymentLink),
  ]
  const room = ({ leftNano, heldNano }: Bound) => leftNano - heldNano
  return bounds.reduce((least, each) => (room(each) < room(least) ? each : least))
}

function budgetBound(whose: string, limit: Standing['key'], nowMs: number): Bound[] {
  const { budgetNano, period, spentNano, heldNano } = limit
  if (budgetNano === null) return []
  const renews = periodRenewsMs(period, nowMs)
  const remedy =
    renews === null ? 'It does not renew by itself: ask the operator to raise it.' : `It renews at ${new Date(renews).toISOString()}.`
  return [{ what: `${whose} budget of $${formatUsd(budgetNano)} (${period})`, leftNano: budgetNano - spentNano, heldNano, remedy }]
}

function balanceBound({ balance, customerId }: Standing, paymentLink: string | null): Bound[] {
  if (balance === null) return []
  const remedy = paymentLink === null ? 'Ask the operator how to pay in.' : `Pay in at ${payAt(paymentLink, customerId)}`
  return [{ what: 'account’s prepaid balance', ...balance, remedy }]
}

/** Where a customer pays: the reference says who it is from. */
function payAt(paymentLink: string, customerId: number): string {
  const url = new URL(paymentLink)
  url.searchParams.set('client_reference_id', String(customerId))
  return url.href
}
