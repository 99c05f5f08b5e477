// The Worker's settings: raw environment in, checked values with units out.
import * as z from 'zod'
import { type AllowedOrigin, readOrigins } from './cors-origins.ts'
import { DAY_MS } from './ledger/periods.ts'
import type { Decided, Vendor } from './vendors/vendor-request.ts'

const count = (fallback: number, min: number, max: number) => z.coerce.number().int().min(min).max(max).default(fallback)
const secret = z
  .string()
  .optional()
  .transform((value) => value?.trim() || null)

/** A binding, which is an object with this method. */
const binding = <T extends object>(method: keyof T & string) =>
  z
    .custom<T>((value) => typeof (value as Record<string, unknown> | undefined)?.[method] === 'function', 'It has to be a binding')
    .optional()

const settings = z.object({
  OLLAMA_BASE_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:11434'),
  CF_ACCESS_CLIENT_ID: secret,
  CF_ACCESS_CLIENT_SECRET: secret,
  HOST_CONCURRENCY: count(16, 1, 10_000),
  BODY_LIMIT_BYTES: count(10_000_000, 1_000, 20_000_000),
  FIRST_BYTE_TIMEOUT_SECONDS: count(100, 1, 600),
  IDLE_TIMEOUT_SECONDS: count(60, 1, 600),
  DEADLINE_SECONDS: count(600, 1, 86_400),
  STREAM_BUFFER_BYTES: count(4_194_304, 1_024, 33_554_432),
  CHECKPOINT_SECONDS: count(10, 1, 600),
  KILL_CHECK_SECONDS: count(5, 1, 600),
  LEDGER_GROUP_MAX: count(20, 1, 200),
  OPENAI_API_KEY: secret,
  OPENAI_BASE_URL: z.url({ protocol: /^https?$/ }).default('https://api.openai.com/v1'),
  OPENAI_LIMIT_FIELD: z.enum(['max_completion_tokens', 'max_tokens']).default('max_completion_tokens'),
  ANTHROPIC_API_KEY: secret,
  ANTHROPIC_BASE_URL: z.url({ protocol: /^https?$/ }).default('https://api.anthropic.com'),
  VENDOR_SILENCE_SECONDS: count(600, 1, 3600),
  READ_ON_SECONDS: count(25, 0, 25),
  ALERT_SIGNING_SECRET: secret.refine((text) => text === null || text.length >= 32, 'It has to have 32 characters or more'),
  CF_ACCESS_TOKEN_EXPIRES: z.iso.date().optional(),
  STRIPE_WEBHOOK_SECRET: secret,
  STRIPE_PAYMENT_LINK: z.url({ protocol: /^https$/ }).optional(),
  CORS_ORIGINS: z
    .string()
    .optional()
    .transform((text, context) => {
      try {
        return readOrigins(text ?? '')
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message })
        return z.NEVER
      }
    }),
})

/** What .dev.vars.example lists for the Worker. */
export const SETTING_NAMES = Object.keys(settings.shape)

const environment = settings.extend({
  OLLAMA: binding<Fetcher>('fetch'),
  METRICS: binding<AnalyticsEngineDataset>('writeDataPoint'),
  VERSION: z.object({ id: z.string() }).optional(),
})

/** How a vendor is asked. */
export interface VendorAccess {
  /** Without a slash at its end. */
  baseUrl: string
  apiKey: string
}

export interface Config {
  ollamaBaseUrl: string
  /** A VPC service that is asked in place of `ollamaBaseUrl`; null: there is none. */
  hostService: Fetcher | null
  /** The Access service token, if the box is behind Cloudflare Access. */
  access: { clientId: string; clientSecret: string } | null
  /** How many requests may be on the host at once, over all customers. */
  hostConcurrency: number
  bodyLimitBytes: number
  firstByteTimeoutMs: number
  /** The longest silence between two pieces of an answer. */
  idleTimeoutMs: number
  /** How long a request at a price per GPU second may run. */
  deadlineMs: number
  /** How much of an answer may wait for a slow caller; one that cannot be larger passes natively. */
  streamBufferBytes: number
  /** After how long a stream writes its first checkpoint; the next ones come at twice the age each. */
  checkpointMs: number
  /** After how long a request first looks whether the operator has ended it. */
  killCheckMs: number
  /** How many requests may share one D1 batch; 1: none. */
  ledgerGroupMax: number
  /** The vendors whose models can be offered: those that there is a key for. */
  vendors: Partial<Record<Vendor, VendorAccess>>
  /** How OpenAI, or who speaks like it, spells the limit of a chat. */
  openaiLimitField: Decided['limitField']
  /** How long a vendor may be silent, before its answer and in it: a model that thinks unseen says nothing. */
  vendorSilenceMs: number
  /** How customers pay in: the secret that signs Stripe's events, without which there is no webhook; the link that refusals name. */
  stripe: { webhookSecret: string | null; paymentLink: string | null }
  /** How long a vendor's answer is read on for its counts once the caller has left; waitUntil gives 30 s. */
  readOnMs: number
  /** What the secrets of alert targets are made from; null: no signed alert is sent. */
  alertSigningSecret: string | null
  /** The last day of the Access service token, days since 1970; null: nobody has said. */
  accessTokenExpiresDay: number | null
  /** The pages that may ask from a browser; none: no page may. */
  corsOrigins: readonly AllowedOrigin[]
  /** Where the figures of each request go beside the log; null: nowhere. */
  metrics: AnalyticsEngineDataset | null
  /** Cloudflare's id of what was deployed; null: it does not say. */
  deployment: string | null
}

const parsed = new WeakMap<object, Config>()

/** The settings in `env`, checked once an isolate. Throws an Error that names the variable that is wrong. */
export function configOf(env: object): Config {
  let config = parsed.get(env)
  if (!config) {
    config = readConfig(env)
    parsed.set(env, config)
  }
  return config
}

function readConfig(env: object): Config {
  // An empty variable is one that was not set.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const result = environment.safeParse(set)
  if (!result.success) {
    const issue = result.error.issues[0]
    throw new Error(`${issue?.path.join('.')}: ${issue?.message}. Mend it in .dev.vars, wrangler.toml [vars] or the secrets.`)
  }
  const vars = result.data
  const { CF_ACCESS_CLIENT_ID: clientId, CF_ACCESS_CLIENT_SECRET: clientSecret } = vars
  if ((clientId === null) !== (clientSecret === null)) {
    throw new Error('CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET belong together: set both or neither.')
  }
  return {
    ollamaBaseUrl: withoutSlash(vars.OLLAMA_BASE_URL),
    hostService: vars.OLLAMA ?? null,
    access: clientId !== null && clientSecret !== null ? { clientId, clientSecret } : null,
    hostConcurrency: vars.HOST_CONCURRENCY,
    bodyLimitBytes: vars.BODY_LIMIT_BYTES,
    firstByteTimeoutMs: vars.FIRST_BYTE_TIMEOUT_SECONDS * 1000,
    idleTimeoutMs: vars.IDLE_TIMEOUT_SECONDS * 1000,
    deadlineMs: vars.DEADLINE_SECONDS * 1000,
    streamBufferBytes: vars.STREAM_BUFFER_BYTES,
    checkpointMs: vars.CHECKPOINT_SECONDS * 1000,
    killCheckMs: vars.KILL_CHECK_SECONDS * 1000,
    ledgerGroupMax: vars.LEDGER_GROUP_MAX,
    vendors: {
      ...accessOf('openai', vars.OPENAI_BASE_URL, vars.OPENAI_API_KEY),
      ...accessOf('anthropic', vars.ANTHROPIC_BASE_URL, vars.ANTHROPIC_API_KEY),
    },
    openaiLimitField: vars.OPENAI_LIMIT_FIELD,
    vendorSilenceMs: vars.VENDOR_SILENCE_SECONDS * 1000,
    readOnMs: vars.READ_ON_SECONDS * 1000,
    alertSigningSecret: vars.ALERT_SIGNING_SECRET,
    accessTokenExpiresDay: vars.CF_ACCESS_TOKEN_EXPIRES === undefined ? null : Date.parse(vars.CF_ACCESS_TOKEN_EXPIRES) / DAY_MS,
    corsOrigins: vars.CORS_ORIGINS,
    metrics: vars.METRICS ?? null,
    deployment: vars.VERSION?.id || null,
    stripe: { webhookSecret: vars.STRIPE_WEBHOOK_SECRET, paymentLink: vars.STRIPE_PAYMENT_LINK ?? null },
  }
}

function accessOf(vendor: Vendor, baseUrl: string, apiKey: string | null): Config['vendors'] {
  return apiKey === null ? {} : { [vendor]: { baseUrl: withoutSlash(baseUrl), apiKey } }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}
