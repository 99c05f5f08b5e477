// What a process has used so far, as Linux tells it.
import { readFileSync } from 'node:fs'

/** Ticks a second of /proc's clock: 100 on every Linux there is (USER_HZ). */
const TICKS_PER_SECOND = 100

export interface ProcessCost {
  cpuMs: number
  /** Resident memory. */
  memoryMib: number
}

/** NaN where there is no /proc, or no such process. Source: proc(5), stat fields 14 and 15; status VmRSS. */
export function processCost(pid: number): ProcessCost {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is a name in brackets, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, memoryMib: kib / 1024 }
  } catch {
    return { cpuMs: Number.NaN, memoryMib: Number.NaN }
  }
}

/** Of several processes together; NaN for none. */
export function costOfAll(pids: readonly number[]): ProcessCost {
  const costs = (pids.length > 0 ? pids : [0]).map(processCost)
  return {
    cpuMs: costs.reduce((sum, cost) => sum + cost.cpuMs, 0),
    memoryMib: costs.reduce((sum, cost) => sum + cost.memoryMib, 0),
  }
}
