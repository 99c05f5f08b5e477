// What a check finds: a line for the owner, and for what is not well the remedy.

/** `warning`: it works, but not for long, or not for all; or nobody could say. `skipped`: another check has to be well first. */
export type Level = 'ok' | 'warning' | 'error' | 'skipped'

export interface Finding {
  level: Level
  text: string
  /** What to do; null: nothing. */
  remedy: string | null
  /** Whether checks that need this one cannot be made; an error's always. */
  blocks: boolean
}

export function ok(text: string): Finding {
  return { level: 'ok', text, remedy: null, blocks: false }
}

export function warning(text: string, remedy: string): Finding {
  return { level: 'warning', text, remedy, blocks: false }
}

/** A warning without which more cannot be asked. */
export function unasked(text: string, remedy: string): Finding {
  return { level: 'warning', text, remedy, blocks: true }
}

export function bad(text: string, remedy: string): Finding {
  return { level: 'error', text, remedy, blocks: true }
}

/** An error that keeps no other check from being made. */
export function badAlone(text: string, remedy: string): Finding {
  return { level: 'error', text, remedy, blocks: false }
}

/** @param reason the check that has to be well before */
export function skipped(reason: string): Finding {
  return { level: 'skipped', text: `not looked at: ${reason} comes first`, remedy: null, blocks: true }
}

export interface Check<World> {
  /** For --json, and for those that need it. */
  name: string
  /** What is looked at, in a word or two. */
  title: string
  /** The checks that have to be well before this one can be made. */
  needs?: readonly string[]
  run(world: World): Promise<Finding | readonly Finding[]>
}
