// The tables of d1-migrations as drizzle sees them; row types are derived from here. The SQL there is the source, a test compares the two.
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const BUDGET_PERIODS = ['total', 'day', 'week', 'month'] as const
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number]
export const OUTCOMES = ['completed', 'abandoned', 'failed', 'expired'] as const
export type Outcome = (typeof OUTCOMES)[number]
export const UPSTREAMS = ['ollama', 'openai', 'anthropic'] as const
export type Upstream = (typeof UPSTREAMS)[number]

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
  prepaid: integer('prepaid').notNull().default(0),
  address: text('address').notNull().default(''),
  taxId: text('tax_id').notNull().default(''),
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
  account: integer('account').notNull().default(0),
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
}

/** What only a vendor tells. */
const usedOfVendor = {
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
    killedMs: integer('killed_ms'),
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
    ...usedOfVendor,
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
    ...usedOfVendor,
    firstRequests: integer('first_requests').notNull().default(0),
    firstMsSum: integer('first_ms_sum').notNull().default(0),
    firstLe50: integer('first_le_50').notNull().default(0),
    firstLe100: integer('first_le_100').notNull().default(0),
    firstLe200: integer('first_le_200').notNull().default(0),
    firstLe400: integer('first_le_400').notNull().default(0),
    firstLe800: integer('first_le_800').notNull().default(0),
    firstLe1600: integer('first_le_1600').notNull().default(0),
    firstLe3200: integer('first_le_3200').notNull().default(0),
    firstLe6400: integer('first_le_6400').notNull().default(0),
    firstLe12800: integer('first_le_12800').notNull().default(0),
    firstLe25600: integer('first_le_25600').notNull().default(0),
    firstLe51200: integer('first_le_51200').notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.customerId, t.day, t.model, t.keyId, t.outcome] })],
)

export const payments = sqliteTable(
  'payments',
  {
    customerId: integer('customer_id').notNull(),
    id: text('id').notNull().unique(),
    amountNano: integer('amount_nano').notNull(),
    source: text('source', { enum: ['manual', 'stripe'] }).notNull(),
    reference: text('reference').notNull().default(''),
    reason: text('reason').notNull().default(''),
    createdMs: integer('created_ms').notNull(),
  },
  (t) => [primaryKey({ columns: [t.customerId, t.id] })],
)

export const invoices = sqliteTable('invoices', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  year: integer('year').notNull(),
  seq: integer('seq').notNull(),
  kind: text('kind', { enum: ['invoice', 'credit_note'] }).notNull(),
  customerId: integer('customer_id').notNull(),
  month: integer('month').notNull(),
  corrects: integer('corrects'),
  usageNano: integer('usage_nano').notNull(),
  adjustmentsNano: integer('adjustments_nano').notNull(),
  carriedNano: integer('carried_nano').notNull(),
  netCents: integer('net_cents').notNull(),
  remainderNano: integer('remainder_nano').notNull(),
  taxBp: integer('tax_bp').notNull(),
  taxCents: integer('tax_cents').notNull(),
  totalCents: integer('total_cents').notNull(),
  document: text('document').notNull(),
  createdMs: integer('created_ms').notNull(),
})

export const archives = sqliteTable('archives', {
  month: integer('month').primaryKey(),
  nextMonth: integer('next_month').notNull(),
  requests: integer('requests').notNull(),
  costNano: integer('cost_nano').notNull(),
  sha256: text('sha256').notNull(),
  file: text('file').notNull(),
  createdMs: integer('created_ms').notNull(),
})

export const verifications = sqliteTable('verifications', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  ok: integer('ok').notNull(),
  findings: integer('findings').notNull(),
  report: text('report').notNull(),
  tookMs: integer('took_ms').notNull(),
  createdMs: integer('created_ms').notNull(),
})

export const auditLog = sqliteTable('audit_log', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  who: text('who').notNull(),
  command: text('command').notNull(),
  target: text('target').notNull(),
  before: text('before'),
  after: text('after'),
  createdMs: integer('created_ms').notNull(),
})

export const alertTargets = sqliteTable('alert_targets', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  customerId: integer('customer_id'),
  url: text('url').notNull(),
  format: text('format', { enum: ['json', 'ntfy', 'slack'] }).notNull(),
  kinds: text('kinds', { mode: 'json' }).$type<string[]>(),
  thresholds: text('thresholds', { mode: 'json' }).$type<number[]>().notNull().default([50, 80, 100]),
  removedMs: integer('removed_ms'),
  createdMs: integer('created_ms').notNull(),
})

export const alerts = sqliteTable(
  'alerts',
  {
    targetId: integer('target_id').notNull(),
    id: text('id').notNull(),
    kind: text('kind').notNull(),
    payload: text('payload').notNull(),
    attempts: integer('attempts').notNull().default(0),
    nextMs: integer('next_ms').notNull(),
    deliveredMs: integer('delivered_ms'),
    gaveUpMs: integer('gave_up_ms'),
    createdMs: integer('created_ms').notNull(),
    error: text('error'),
  },
  (t) => [primaryKey({ columns: [t.targetId, t.id] })],
)

export const alertState = sqliteTable('alert_state', {
  subject: text('subject').primaryKey(),
  seen: text('seen').notNull(),
  times: integer('times').notNull(),
  told: text('told'),
  sinceMs: integer('since_ms').notNull(),
  updatedMs: integer('updated_ms').notNull(),
})
