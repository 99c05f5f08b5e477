// Draws a schedule from a seed.

import { BUDGET_PERIODS } from '../../worker/schema.ts'
import { CACHE_WRITES } from '../../worker/vendors/vendor-request.ts'
import { type Random, randomOf } from './random.ts'
import {
  type Beginning,
  FATES,
  type Limits,
  type MinuteLimits,
  MODELS,
  type Paying,
  type PriceRow,
  type Schedule,
  type Share,
  type Step,
} from './steps.ts'

/** Half an hour before a month, a week and a day end at once: Saturday, 31 October 2026, then Sunday; and a Monday that begins a month. */
const STARTS_MS = [
  Date.UTC(2026, 9, 31, 23, 30),
  Date.UTC(2027, 1, 28, 23, 50),
  Date.UTC(2028, 1, 29, 12),
  Date.UTC(2026, 11, 31, 23, 59, 50),
]

/** The whole schedule of a seed: always the same one. */
export function drawSchedule(seed: number): Schedule {
  const random = randomOf(seed)
  const beginning = drawBeginning(random)
  const length = random.between(20, 120)
  return { seed, beginning, steps: Array.from({ length }, () => drawStep(random)) }
}

function drawBeginning(random: Random): Beginning {
  const customers = Array.from({ length: random.between(1, 2) }, () => ({
    ...drawLimits(random),
    ...drawMinute(random, 20),
    ...drawPaying(random),
    keys: Array.from({ length: random.between(1, 2) }, () =>
      random.chance(50) ? { ...drawLimits(random), budgetNano: null } : drawLimits(random),
    ),
  }))
  return {
    startMs: random.pick(STARTS_MS) + random.below(1000),
    gateways: random.between(1, 2),
    groupMax: random.weighted([
      [3, 20],
      [1, 1],
      [1, 3],
    ]),
    customers,
    prices: MODELS.map((_, model) => drawPrice(random, model, true)),
  }
}

function drawLimits(random: Random): Limits {
  const budgetNano = random.weighted<() => number | null>([
    [4, () => null],
    [1, () => 0],
    [4, () => random.below(1_000_000)],
    [12, () => random.below(20_000_000)],
    [1, () => 9_000_000_000_000_000],
  ])()
  return { budgetNano, period: random.pick(BUDGET_PERIODS) }
}

function drawMinute(random: Random, percent: number): MinuteLimits {
  const maybe = (most: number) => (random.chance(percent) ? random.between(1, most) : null)
  return { rpm: maybe(10), tpm: maybe(20_000), concurrency: maybe(5) }
}

/** Half of them prepaid, often with no budget that would bind first. */
function drawPaying(random: Random): Partial<Limits> & Paying {
  const prepaid = random.chance(50)
  const paidNano = random.chance(80) ? random.between(1, 20_000_000) : 0
  return { prepaid, paidNano: prepaid || random.chance(10) ? paidNano : 0, ...(prepaid && random.chance(60) ? { budgetNano: null } : {}) }
}

/** Odd numbers, so that costs have to be rounded. `plain`: in force and on offer. */
function drawPrice(random: Random, model: number, plain: boolean): PriceRow {
  const upstream = MODELS[model]?.upstream ?? 'ollama'
  const pico = () => (random.chance(10) ? 0 : random.below(3_000_001))
  const maybe = (percent: number) => (random.chance(percent) ? pico() : null)
  const vendor = upstream !== 'ollama'
  const above = vendor && random.chance(40)
  return {
    model: (vendor ? MODELS[model]?.name : MODELS[model]?.canonical) ?? '',
    upstream,
    request_nano: random.chance(25) ? random.below(100_000) : 0,
    model_nano: random.chance(10) ? random.below(100_000) : 0,
    input_pico: pico(),
    cached_input_pico: pico(),
    output_pico: pico(),
    gpu_second_nano: !vendor && random.chance(20) ? random.below(2_000) : 0,
    output_default: random.between(1, 500),
    output_max: random.between(500, 2000),
    withdrawn: !plain && random.chance(8) ? 1 : 0,
    valid_from_ms: plain || random.chance(70) ? 0 : random.below(3_600_000),
    cache_write_pico: vendor ? maybe(85) : null,
    cache_write_long_pico: vendor ? maybe(85) : null,
    above_tokens: above ? random.between(1, 600) : null,
    above_input_pico: above ? pico() : null,
    above_cached_input_pico: above ? pico() : null,
    above_cache_write_pico: above ? maybe(85) : null,
    above_cache_write_long_pico: above ? maybe(85) : null,
    above_output_pico: above ? pico() : null,
  }
}

function drawShare(random: Random): Share {
  const share = () =>
    random.weighted([
      [1, 0],
      [5, random.below(1001)],
      [1, 1000],
    ])
  const past = random.chance(5)
  return {
    input: past ? random.between(1000, 1500) : share(),
    cached: random.chance(50) ? share() : 0,
    written: random.chance(40) ? share() : 0,
    writtenLong: random.chance(40) ? share() : 0,
    output: past ? random.between(1000, 2000) : share(),
    gpuMs: random.below(100_000),
  }
}

const which = (random: Random) => random.below(64)

const STEPS: readonly (readonly [number, (random: Random) => Step])[] = [
  [
    40,
    (random) => ({
      do: 'ask',
      gateway: which(random),
      key: which(random),
      model: which(random),
      input: random.below(1001),
      output: random.chance(40) ? null : random.below(1001),
      least: random.pick([1, 16, 256]),
      runs: random.weighted([
        [6, 1],
        [1, 2],
        [1, 3],
      ]),
      rereads: random.chance(50),
      cacheWrite: random.weighted([[3, 'none'], ...CACHE_WRITES.map((write) => [1, write] as const)]),
      leaseMs: random.weighted([
        [2, 1_000],
        [1, 60_000],
        [1, 130_000],
        [1, 630_000],
      ]),
      idLagMs: random.weighted([
        [4, 0],
        [1, random.below(3000)],
        [1, random.below(200_000)],
      ]),
    }),
  ],
  [6, (random) => ({ do: 'ask again', which: which(random) })],
  [
    44,
    (random) => ({
      do: 'answer',
      which: which(random),
      fate: random.weighted([[12, 'passes'], ...FATES.map((fate) => [1, fate] as const)]),
    }),
  ],
  [24, (random) => ({ do: 'answer all', most: random.between(1, 8) })],
  [14, (random) => ({ do: 'checkpoint', which: which(random), share: drawShare(random), leaseMs: random.pick([1_000, 90_000, 240_000]) })],
  [
    36,
    (random) => ({
      do: 'end',
      which: which(random),
      outcome: random.pick(['completed', 'abandoned', 'failed']),
      free: random.chance(10),
      share: drawShare(random),
    }),
  ],
  [2, (random) => ({ do: 'die', gateway: which(random) })],
  [14, (random) => ({ do: 'sweep', gateway: which(random) })],
  [
    22,
    (random) => ({
      do: 'wait',
      ms: random.weighted([
        [3, random.below(60)],
        [3, random.below(4_000)],
        [3, random.below(150_000)],
        [1, random.below(90_000_000)],
      ]),
    }),
  ],
  [4, (random) => ({ do: 'wait for', edge: random.pick(BUDGET_PERIODS), offsetMs: random.between(-3_000, 3_000) })],
  [4, (random) => ({ do: 'database clock', lagMs: random.between(-5_000, 5_000) })],
  [4, (random) => drawPriceStep(random)],
  [4, (random) => ({ do: 'customer budget', customer: which(random), limits: drawLimits(random) })],
  [1, (random) => ({ do: 'customer limits', customer: which(random), limits: drawMinute(random, 30) })],
  [
    1,
    (random) => ({
      do: 'customer status',
      customer: which(random),
      status: random.weighted([
        [3, 'active'],
        [1, 'suspended'],
      ]),
    }),
  ],
  [4, (random) => ({ do: 'key budget', key: which(random), limits: drawLimits(random) })],
  [1, (random) => ({ do: 'key revoked', key: which(random) })],
  [1, (random) => ({ do: 'new key', customer: which(random), limits: drawLimits(random) })],
  [2, (random) => ({ do: 'customer prepaid', customer: which(random), prepaid: random.chance(75) })],
  [6, (random) => ({ do: 'pay', gateway: which(random), customer: which(random), nano: drawMoved(random), reference: random.below(6) })],
  [4, (random) => ({ do: 'redeliver', gateway: which(random), which: which(random), sameEvent: random.chance(50) })],
  [2, (random) => ({ do: 'pay by hand', customer: which(random), nano: drawMoved(random), reference: random.below(6) })],
  [3, (random) => ({ do: 'adjust', customer: which(random), nano: drawMoved(random) })],
  [6, (random) => ({ do: 'invoice', customer: which(random) })],
  [4, (random) => ({ do: 'refund', which: which(random), part: random.chance(60) ? null : random.between(1, 1100) })],
]

/** An amount that came in, or one time in four went back. */
function drawMoved(random: Random): number {
  const nano = random.between(1, 10_000_000)
  return random.chance(25) ? -nano : nano
}

function drawStep(random: Random): Step {
  return random.weighted(STEPS)(random)
}

function drawPriceStep(random: Random): Step {
  const model = random.below(MODELS.length)
  return { do: 'price', model, row: drawPrice(random, model, false) }
}
