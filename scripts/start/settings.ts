// The settings of `npm start`: the environment first, then .dev.vars; all checked before anything is started.
import { parseEnv } from 'node:util'
import { configOf, SETTING_NAMES } from '../../worker/config.ts'
import { devVarsText, withoutEmpty } from './environment.ts'
import { type VendorSetting, vendorSettings } from './vendors.ts'

/** What is passed on to the Worker as its bindings; OLLAMA_BASE_URL is, too, once it is known who answers there. */
const WORKER_VARS = SETTING_NAMES.filter((name) => name !== 'OLLAMA_BASE_URL')

export const DEFAULT_STATE_DIR = '.wrangler/state'

export interface Settings {
  host: string
  /** 0: any free port. */
  port: number
  stateDir: string
  ollamaBaseUrl: string
  access: { clientId: string; clientSecret: string } | null
  vendors: VendorSetting[]
  /** STAND_IN=1: recorded answers, even where an Ollama answers. */
  standIn: boolean
  /** How long running answers may end by themselves once the gateway is told to stop. */
  stopGraceMs: number
  /** LOG=json: the Worker's log objects as they are. */
  logJson: boolean
  colour: boolean
  /** The Worker's bindings. */
  vars: Record<string, string>
}

/** A setting that cannot be used; the message names it. */
export class SettingError extends Error {}

/** The settings of this process. Throws SettingError. */
export function loadSettings(): Settings {
  return readSettings(process.env, devVarsText(), process.stdout.isTTY === true)
}

/** @param devVars the text of .dev.vars, '' where there is none. Throws SettingError. */
export function readSettings(environment: NodeJS.ProcessEnv, devVars: string, terminal: boolean): Settings {
  const given = withoutEmpty(environment)
  const set: NodeJS.ProcessEnv = { ...parseEnv(devVars), ...given }
  const vars: Record<string, string> = {}
  for (const name of WORKER_VARS) if (set[name]) vars[name] = set[name]
  const ollamaBaseUrl = set.OLLAMA_BASE_URL || 'http://127.0.0.1:11434'
  const config = checked({ ...vars, OLLAMA_BASE_URL: ollamaBaseUrl })
  return {
    host: set.HOST || '127.0.0.1',
    port: whole('PORT', set.PORT || '8787', 65_535),
    stateDir: set.STATE_DIR || DEFAULT_STATE_DIR,
    ollamaBaseUrl: config.ollamaBaseUrl,
    access: config.access,
    vendors: vendorSettings(config, given),
    standIn: flag('STAND_IN', set.STAND_IN),
    stopGraceMs: whole('STOP_GRACE_SECONDS', set.STOP_GRACE_SECONDS || '5', 3600) * 1000,
    logJson: logFormat(set.LOG) === 'json',
    colour: terminal && !set.NO_COLOR && set.TERM !== 'dumb',
    vars,
  }
}

/** The Worker's own reading of its settings, so that a wrong one is told now and not with the first request. */
function checked(vars: Record<string, string>): ReturnType<typeof configOf> {
  try {
    return configOf(vars)
  } catch (error) {
    throw new SettingError((error as Error).message)
  }
}

function whole(name: string, text: string, max: number): number {
  if (/^\d{1,9}$/.test(text.trim()) && Number(text) <= max) return Number(text)
  throw new SettingError(`${name}=${text}: it has to be a whole number from 0 to ${max}.`)
}

function flag(name: string, text: string | undefined): boolean {
  if (!text || text === '0' || text === 'false') return false
  if (text === '1' || text === 'true') return true
  throw new SettingError(`${name}=${text}: it has to be 1 or 0.`)
}

function logFormat(text: string | undefined): 'lines' | 'json' {
  if (!text || text === 'lines') return 'lines'
  if (text === 'json') return 'json'
  throw new SettingError(`LOG=${text}: it has to be json or lines.`)
}
