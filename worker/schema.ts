// The tables of d1-migrations as drizzle sees them; row types are derived from here. The SQL there is the source, a test compares the two.
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const BUDGET_PERIODS = ['total', 'day', 'week', 'month'] as const
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number]
export const OUTCOMES = ['completed', 'abandoned', 'failed', 'expired'] as const
export type Outcome = (typeof OUTCOMES)[number]
const UPSTREAMS = ['ollama', 'openai', 'anthropic'] as const

const budgetAndLimits = {
  budgetNano: integer('budget_nano'),
  budgetPeriod: text('budget_period', { enum: BUDGET_PERIODS }).notNull().default('month'),
  rpm: integer('rpm'),
  tpm: integer('tpm'),
  concurrency: integer('concurrency'),
}

export const customers = sqliteTable('customers', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  name: text('name').notNull(),
  email: text('email').notNull().unique(),
  status: text('status', { enum: ['active', 'suspended'] })
    .notNull()
    .default('active'),
  ...budgetAndLimits,
  createdMs: integer('created_ms').notNull(),
})

export const apiKeys = sqliteTable('api_keys', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  hash: text('hash').notNull().unique(),
  customerId: integer('customer_id').notNull(),
  prefix: text('prefix').notNull(),
  name: text('name').notNull().default(''),
  models: text('models', { mode: 'json' }).$type<string[]>(),
  ...budgetAndLimits,
  expiresMs: integer('expires_ms'),
  revokedMs: integer('revoked_ms'),
  createdMs: integer('created_ms').notNull(),
})

export const prices = sqliteTable(
  'prices',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    model: text('model').notNull(),
    upstream: text('upstream', { enum: UPSTREAMS }).notNull().default('ollama'),
    upstreamModel: text('upstream_model'),
    requestNano: integer('request_nano').notNull().default(0),
    modelNano: integer('model_nano').notNull().default(0),
    inputPico: integer('input_pico').notNull().default(0),
    cachedInputPico: integer('cached_input_pico').notNull().default(0),
    outputPico: integer('output_pico').notNull().default(0),
    gpuSecondNano: integer('gpu_second_nano').notNull().default(0),
    outputDefault: integer('output_default').notNull().default(2048),
    outputMax: integer('output_max').notNull().default(8192),
    withdrawn: integer('withdrawn').notNull().default(0),
    validFromMs: integer('valid_from_ms').notNull(),
    createdMs: integer('created_ms').notNull(),
    variant: text('variant').notNull().default(''),
    cacheWritePico: integer('cache_write_pico'),
    cacheWriteLongPico: integer('cache_write_long_pico'),
    aboveTokens: integer('above_tokens'),
    aboveInputPico: integer('above_input_pico'),
    aboveCachedInputPico: integer('above_cached_input_pico'),
    aboveCacheWritePico: integer('above_cache_write_pico'),
    aboveCacheWriteLongPico: integer('above_cache_write_long_pico'),
    aboveOutputPico: integer('above_output_pico'),
  },
  (t) => [index('prices_by_model').on(t.model, t.validFromMs, t.id)],
)

/** What is known of a request from its admission on, and moves from `holds` to `usage` unchanged. */
const admitted = {
  customerId: integer('customer_id').notNull(),
  id: text('id').notNull(),
  keyId: integer('key_id').notNull(),
  priceId: integer('price_id').notNull(),
  model: text('model').notNull(),
  dialect: text('dialect').notNull(),
  upstream: text('upstream', { enum: UPSTREAMS }).notNull(),
  holdNano: integer('hold_nano').notNull(),
  inputBound: integer('input_bound').notNull(),
  outputLimit: integer('output_limit').notNull(),
  createdMs: integer('created_ms').notNull(),
}

/** What was used and charged: of a request, and summed up of a day. */
const used = {
  inputTokens: integer('input_tokens').notNull(),
  cachedTokens: integer('cached_tokens').notNull(),
  outputTokens: integer('output_tokens').notNull(),
  gpuMs: integer('gpu_ms').notNull(),
  costNano: integer('cost_nano').notNull(),
  cacheWriteTokens: integer('cache_write_tokens').notNull().default(0),
  cacheWriteLongTokens: integer('cache_write_long_tokens').notNull().default(0),
  reasoningTokens: integer('reasoning_tokens').notNull().default(0),
}

export const holds = sqliteTable(
  'holds',
  {
    ...admitted,
    runs: integer('runs').notNull().default(1),
    checkpointNano: integer('checkpoint_nano').notNull().default(0),
    checkpointInput: integer('checkpoint_input').notNull().default(0),
    checkpointOutput: integer('checkpoint_output').notNull().default(0),
    checkpointGpuMs: integer('checkpoint_gpu_ms').notNull().default(0),
    checkpointFirstMs: integer('checkpoint_first_ms'),
    expiresMs: integer('expires_ms').notNull(),
    /** JSON: how things stood at admission. */
    standing: text('standing'),
  },
  (t) => [primaryKey({ columns: [t.customerId, t.id] })],
)

export const usage = sqliteTable(
  'usage',
  {
    ...admitted,
    ...used,
    outcome: text('outcome', { enum: OUTCOMES }).notNull(),
    estimated: integer('estimated').notNull(),
    overNano: integer('over_nano').notNull(),
    firstMs: integer('first_ms'),
    settledMs: integer('settled_ms').notNull(),
  },
  (t) => [primaryKey({ columns: [t.customerId, t.id] })],
)

export const adjustments = sqliteTable(
  'adjustments',
  {
    customerId: integer('customer_id').notNull(),
    id: text('id').notNull(),
    keyId: integer('key_id'),
    usageId: text('usage_id'),
    amountNano: integer('amount_nano').notNull(),
    reason: text('reason').notNull(),
    day: integer('day').notNull(),
    createdMs: integer('created_ms').notNull(),
  },
  (t) => [primaryKey({ columns: [t.customerId, t.id] })],
)

export const spend = sqliteTable(
  'spend',
  { owner: text('owner').notNull(), period: integer('period').notNull(), spentNano: integer('spent_nano').notNull() },
  (t) => [primaryKey({ columns: [t.owner, t.period] })],
)

export const usageDaily = sqliteTable(
  'usage_daily',
  {
    customerId: integer('customer_id').notNull(),
    day: integer('day').notNull(),
    model: text('model').notNull(),
    keyId: integer('key_id').notNull(),
    outcome: text('outcome', { enum: OUTCOMES }).notNull(),
    requests: integer('requests').notNull(),
    ...used,
  },
  (t) => [primaryKey({ columns: [t.customerId, t.day, t.model, t.keyId, t.outcome] })],
)
