// What a command is given, what it gives back, and how it fails.
import type { Database } from '../database/database.ts'
import type { GatewayFile } from '../database/gateway-file.ts'

/** The world outside a command. */
export interface Io {
  /** Standard output; resolves when there is room for more. */
  out(text: string): Promise<void>
  /** Standard error. */
  err(text: string): void
  /** Standard error is a terminal, so wide; and so may standard output be. */
  terminal?: { columns: number; isOut: boolean }
  /** Asks a person yes or no; null: nobody is there. Throws Stopped. */
  ask: ((question: string) => Promise<boolean>) | null
  /** Asks a person for what nobody else is to see. Throws Stopped. */
  askSecret?: (question: string) => Promise<string>
  /** All of standard input, where it is no terminal. */
  input?: () => Promise<string>
  /** What relative paths are relative to. */
  directory: string
  /** Where deployment.json and .dev.vars are; the project's own directory unless told. */
  project?: string
  /** Environment variables, over those of .dev.vars. */
  environment: Record<string, string | undefined>
}

export interface Context {
  db: Database
  /** Who gives the command, for the audit log. */
  who: string
  io: Io
  /** The gateway that runs on this database on this machine, if one does. */
  gateway: GatewayFile | null
  json: boolean
  remote: boolean
}

export interface Output {
  /** For --json: one value. */
  json: unknown
  /** For people. */
  text: string
  /** 1: the command did its work and what it found is bad. */
  exitCode?: 0 | 1
}

/** An argument cannot be used; nothing was changed. Exit code 2. The message names the argument and what it may be. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** It could not be done. Exit code 1. The message names the argument, if it was one, and the remedy. */
export class Failure extends Error {
  override name = 'Failure'
}

/** A person or a signal has stopped it. Exit code 130. The message says what is there now. */
export class Stopped extends Error {
  override name = 'Stopped'
}
