// Who uses the gateway in the month: customers with their keys, models with their prices, and what is paid; by the operator's own commands.
import type { Dialect } from './asks.ts'

interface CastKey {
  name: string
  dialect: Dialect
  models: readonly string[]
  /** How much of the month's requests are this key's. */
  weight: number
  options?: readonly string[]
}

export interface CastCustomer {
  name: string
  email: string
  /** Lines, as invoices have them. */
  address: readonly string[]
  options: readonly string[]
  keys: readonly CastKey[]
}

/** The first is customer 1, the first key key 1, and so on. */
export const CAST: readonly CastCustomer[] = [
  {
    name: 'ACME GmbH',
    email: 'ops@acme.example',
    address: ['Industriestraße 7', '70565 Stuttgart', 'Germany'],
    options: ['--budget', '40'],
    keys: [
      { name: 'web', dialect: 'openai', models: ['gemma3:270m', 'chat-small'], weight: 30 },
      { name: 'batch', dialect: 'openai', models: ['gemma3:270m'], weight: 8, options: ['--rpm', '6'] },
    ],
  },
  {
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    address: ["12 St James's Square", 'London SW1Y 4LB'],
    options: ['--unlimited'],
    keys: [{ name: 'laptop', dialect: 'ollama', models: ['gemma3:270m', 'toy-tools', 'chat-small'], weight: 22 }],
  },
  {
    name: 'Northwind Ltd',
    email: 'it@northwind.example',
    address: ['3 Harbour Road', 'Cork', 'Ireland'],
    options: ['--prepaid'],
    keys: [{ name: 'assistant', dialect: 'anthropic', models: ['chat-small', 'toy-tools'], weight: 22 }],
  },
  {
    name: 'Chess Club',
    email: 'board@chess.example',
    address: ['1 Rook Lane', 'Utrecht'],
    options: ['--budget', '0.06', '--period', 'day'],
    keys: [{ name: 'members', dialect: 'ollama', models: ['chat-small'], weight: 12, options: ['--account'] }],
  },
  { name: 'Idle & Sons', email: 'sons@idle.example', address: ['4 Quiet Street', 'Bath'], options: ['--budget', '5'], keys: [] },
]

/** Of the host's models; what a line sets is in force from its day of the month on. */
export const PRICES: readonly { day: number; args: readonly string[] }[] = [
  { day: 1, args: ['gemma3:270m', '0.002', '0', '--input', '0.50', '--output', '2'] },
  { day: 1, args: ['chat-small', '0.006', '0', '--input', '3', '--output', '15', '--output-default', '512'] },
  { day: 1, args: ['toy-tools', '0.004', '0.001', '--input', '1', '--output', '5'] },
  { day: 1, args: ['embed-small', '0.0005', '0', '--input', '0.05'] },
  { day: 16, args: ['chat-small', '0.008', '0', '--input', '3', '--output', '15', '--output-default', '512'] },
]

/** Northwind's, whose second comes after the first is used up. */
export const PAYMENTS: readonly { day: number; args: readonly string[] }[] = [
  { day: 1, args: ['3', '0.50', '--reference', 'bank transfer 1'] },
  { day: 19, args: ['3', '20', '--reference', 'bank transfer 2'] },
]
