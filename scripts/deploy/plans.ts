// What each plan of Cloudflare Workers allows an invocation, and the settings that keep within it.
// Limits: https://developers.cloudflare.com/workers/platform/limits/ and https://developers.cloudflare.com/d1/platform/limits/

export const PLAN_NAMES = ['free', 'paid'] as const
export type Plan = (typeof PLAN_NAMES)[number]

export const PLAN_QUESTION = 'Is the account on the Workers Paid plan? It is $5 a month, and allows 30 s of CPU a request instead of 10 ms.'

interface PlanSetting {
  name: string
  value: string
  why: string
}

interface PlanLimits {
  /** How long an invocation may compute, milliseconds; null: Cloudflare's own limit, which cannot be set there. */
  cpuMs: number | null
  cpuWhy: string
  /** The Worker's settings; what wrangler.toml has in [vars] goes before them. */
  settings: readonly PlanSetting[]
}

/**
 * Free: 10 ms of CPU, 50 D1 queries and 50 subrequests an invocation. A request leads at most two batches (LEDGER_GROUP_MAX asks and 4 statements
 * of endings each), looks at most 20 times whether it is killed, writes a checkpoint at each doubling of its age, and may sweep: 2 × 10 + 20 + 5 + 5 = 50.
 */
export const PLANS: Record<Plan, PlanLimits> = {
  free: {
    cpuMs: null,
    cpuWhy: '10 ms of CPU a request is what Cloudflare gives on this plan; it refuses an upload that sets a limit.',
    settings: [
      {
        name: 'BODY_LIMIT_BYTES',
        value: '1000000',
        why: 'a body costs about 6 ms of CPU a megabyte to check and to write anew, and 10 ms are all there is.',
      },
      {
        name: 'CHECKPOINT_SECONDS',
        value: '30',
        why: 'a checkpoint is a D1 query: at 30, 60, 120, 240 and 480 s a stream of ten minutes makes five, out of 50.',
      },
      {
        name: 'KILL_CHECK_SECONDS',
        value: '30',
        why: 'a look whether a request was ended is a D1 query: 13 in ten minutes instead of 20.',
      },
      { name: 'LEDGER_GROUP_MAX', value: '6', why: 'a batch of 6 requests has at most 10 statements, and a request may lead two batches.' },
    ],
  },
  paid: {
    cpuMs: 30_000,
    cpuWhy: "30 s of CPU a request, Cloudflare's own default: a stream of 100,000 pieces that is changed on its way takes 15 s.",
    settings: [
      { name: 'BODY_LIMIT_BYTES', value: '10000000', why: 'ten megabytes hold a dozen photographs; they cost about 60 ms of CPU.' },
      { name: 'CHECKPOINT_SECONDS', value: '10', why: 'of 1,000 D1 queries a request uses six for checkpoints in ten minutes.' },
    ],
  },
}

/** The plan's settings by name, for the Worker. */
export function planVars(plan: Plan): Record<string, string> {
  return Object.fromEntries(PLANS[plan].settings.map(({ name, value }) => [name, value]))
}
