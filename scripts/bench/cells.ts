// What a table is made of.
import { figure, times } from './statistics.ts'

export interface Table {
  title: string
  columns: string[]
  /** How many columns, from the left, are words; the others are figures. 1 if not given. */
  words?: number
  rows: string[][]
}

/** A figure, and how many times another it is: 4.60 (1.81 ×). */
export function against(value: number, of: number | undefined): string {
  return Number.isFinite(value) && of !== undefined && Number.isFinite(of) ? `${figure(value)} (${times(value, of)})` : figure(value)
}
