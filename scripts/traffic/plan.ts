// What happens in the month, drawn from a seed: which key asks for what at which minute, what goes wrong, and what the operator does.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import type { Month } from '../admin/month.ts'
import { type Random, randomOf } from '../simulate/random.ts'
import { type Ask, drawAsk, embedding, longChat } from './asks.ts'
import { CAST, PAYMENTS, PRICES } from './cast.ts'

/** `hang-up`: the caller leaves after the first piece. `broken`: the host breaks off. `power-cut`: the gateway dies. */
export type Fate = 'answered' | 'hang-up' | 'broken' | 'power-cut'

export interface Call extends Ask {
  /** As it is numbered. */
  keyId: number
}

export type Step = { atMs: number } & ({ command: readonly string[] } | { fate: Fate; calls: Call[] })

const KEYS = CAST.flatMap(({ keys }) => keys).map((key, index) => ({ ...key, id: index + 1 }))
const AT_ONCE = 6
/** More in a minute than key 2 may ask. */
const BURST = 9
const POWER_CUT_DAY = 12
const MINUTE_MS = 60_000

/** The month's steps in order, no two in a minute. The same seed, month and number give the same. */
export function planMonth(month: Month, requests: number, seed: number): Step[] {
  const random = randomOf(seed)
  const days = Array.from({ length: month.last - month.first + 1 }, (_, index) => month.first + index)
  const weights = days.map((day) => weightOf(day, random))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return days.flatMap((day, index) => {
    const date = index + 1
    const commands = [
      ...PRICES.filter((price) => price.day === date).map(({ args }) => ['set-pricing', ...args]),
      ...PAYMENTS.filter((payment) => payment.day === date).map(({ args }) => ['pay', ...args]),
    ]
    const morning = commands.map((command, minute) => ({ atMs: day * DAY_MS + (6 * 60 + minute) * MINUTE_MS, command }))
    return [...morning, ...planDay(random, day, date, Math.round((requests * (weights[index] ?? 0)) / total))]
  })
}

/** Less at the weekend, and no two days alike. */
function weightOf(day: number, random: Random): number {
  const weekday = (day + 4) % 7
  return (weekday === 0 || weekday === 6 ? 3 : 10) * random.between(6, 14)
}

function planDay(random: Random, day: number, date: number, requests: number): Step[] {
  const steps: { fate: Fate; calls: Call[] }[] = []
  for (let left = requests; left > 0; ) {
    const step = drawStep(random, left)
    left -= step.calls.length
    steps.push(step)
  }
  if (date === POWER_CUT_DAY) steps.push({ fate: 'power-cut', calls: [{ keyId: 3, ...longChat('ollama', 'chat-small') }] })
  // From 8 o'clock to half past ten in the evening.
  const spacing = Math.floor((14.5 * 60) / Math.max(1, steps.length))
  return steps.map((step, index) => {
    const minute = 8 * 60 + index * Math.max(1, spacing) + random.below(Math.max(1, spacing))
    return { atMs: day * DAY_MS + minute * MINUTE_MS, ...step }
  })
}

function drawStep(random: Random, left: number): { fate: Fate; calls: Call[] } {
  const call = (): Call => {
    const { id, dialect, models } = random.weighted(KEYS.map((key) => [key.weight, key] as const))
    const embeds = dialect !== 'anthropic' && random.chance(10)
    return { keyId: id, ...(embeds ? embedding(dialect) : drawAsk(random, dialect, random.pick(models))) }
  }
  const long = (): Call => {
    const { id, dialect, models } = random.pick(KEYS)
    return { keyId: id, ...longChat(dialect, models[0] ?? '') }
  }
  const many = (most: number, make: () => Call) => Array.from({ length: Math.min(left, most) }, make)
  return random.weighted<() => { fate: Fate; calls: Call[] }>([
    [80, () => ({ fate: 'answered', calls: many(random.between(1, AT_ONCE), call) })],
    [12, () => ({ fate: 'hang-up', calls: many(1, long) })],
    [10, () => ({ fate: 'broken', calls: many(1, long) })],
    [3, () => ({ fate: 'answered', calls: many(BURST, () => ({ keyId: 2, ...drawAsk(random, 'openai', 'gemma3:270m') })) })],
  ])()
}
