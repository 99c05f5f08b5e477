// The command line of the bench: text in, checked values out.
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { count } from '../admin/arguments.ts'

const SECTIONS = ['load', 'paced', 'paid', 'memory', 'scale', 'reports', 'rows', 'size', 'start'] as const
export type Section = (typeof SECTIONS)[number]

/** Another gateway, already running, whose upstream is the bench's host. */
export interface PeerOptions {
  /** Without a slash at its end. */
  base: string
  headers: Record<string, string>
  model: string
  /** Its processes, where their cost is to be told. */
  pids: number[]
}

export interface Options {
  quick: boolean
  rounds: number
  only: readonly Section[]
  peer: PeerOptions | null
  /** 0: any free port. */
  hostPort: number
  /** Absolute. */
  stateDir: string
  json: boolean
  write: boolean
}

interface Raw {
  quick?: true
  rounds?: number
  only?: Section[]
  against?: string
  header?: Record<string, string>
  model?: string
  pid?: number[]
  hostPort?: number
  stateDir?: string
  json?: true
  write?: boolean
}

const QUICK_ROUNDS = 2
const ROUNDS = 5

function bench(): Command {
  return new Command('npm run bench --')
    .description('Measures the gateway beside a floor and a bare pass-through, on this machine, in one run.')
    .option('--quick', 'a quarter of the requests and fewer rounds, to see that it runs')
    .option('--rounds <n>', `how often each is measured (${ROUNDS}; ${QUICK_ROUNDS} with --quick)`, count(1, 100))
    .option('--only <sections>', `some of ${SECTIONS.join(',')}`, sections)
    .option('--against <url>', 'another gateway that speaks OpenAI: its address, without /v1/chat/completions', base)
    .option('--header <line>', "for that gateway, 'name: value'; can be given more than once", header)
    .option('--model <name>', 'the model to ask that gateway for (bench)')
    .option('--pid <n>', 'a process of that gateway, to tell its CPU and memory; can be given more than once', pid)
    .option('--host-port <n>', "the port of the bench's host (any free one)", count(0, 65_535))
    .option('--state-dir <path>', 'where the databases lie while it runs (the folder for temporary files)')
    .option('--json', 'the results as JSON on standard output, in place of the tables')
    .option('--write', 'write docs/performance.md even from a quick or a partial run')
    .option('--no-write', 'leave docs/performance.md and its plot as they are')
    .allowExcessArguments(false)
}

/** Throws commander's CommanderError, with the message printed by `err`; its exitCode is 0 for --help. */
export function readOptions(args: string[], out: (text: string) => void, err: (text: string) => void, directory: string): Options {
  const command = bench().exitOverride().configureOutput({ writeOut: out, writeErr: err })
  command.parse(args, { from: 'user' })
  const raw = command.opts<Raw>()
  for (const name of ['header', 'model', 'pid'] as const) {
    if (raw[name] !== undefined && raw.against === undefined) command.error(`error: option '--${name}' needs '--against <url>'.`)
  }
  const quick = raw.quick ?? false
  return {
    quick,
    rounds: raw.rounds ?? (quick ? QUICK_ROUNDS : ROUNDS),
    only: raw.only ?? SECTIONS,
    peer:
      raw.against === undefined ? null : { base: raw.against, headers: raw.header ?? {}, model: raw.model ?? 'bench', pids: raw.pid ?? [] },
    hostPort: raw.hostPort ?? 0,
    stateDir: resolve(directory, raw.stateDir ?? tmpdir()),
    json: raw.json ?? false,
    // A run that leaves something out would leave holes in the page.
    write: raw.write ?? !(quick || raw.only !== undefined),
  }
}

/** What was called, less what belongs to one machine or to nobody else: addresses, keys, paths. */
export function commandLine(options: Options): string {
  const parts = ['npm run bench']
  if (options.quick) parts.push('--quick')
  if (options.rounds !== (options.quick ? QUICK_ROUNDS : ROUNDS)) parts.push(`--rounds ${options.rounds}`)
  if (options.only.length < SECTIONS.length) parts.push(`--only ${options.only.join(',')}`)
  if (options.peer !== null) parts.push('--against URL')
  return parts.length === 1 ? 'npm run bench' : parts.join(' ').replace('npm run bench', 'npm run bench --')
}

function sections(text: string): Section[] {
  const named = text.split(',')
  const unknown = named.find((name) => !SECTIONS.some((section) => section === name))
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${SECTIONS.join(', ')}.`)
  return SECTIONS.filter((section) => named.includes(section))
}

function base(text: string): string {
  const protocol = URL.canParse(text) ? new URL(text).protocol : ''
  if (protocol === 'http:' || protocol === 'https:') return text.replace(/\/+$/, '')
  throw new InvalidArgumentError('It has to be a URL such as http://127.0.0.1:4000.')
}

function header(line: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([\w-]+):\s*(\S.*)$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError("It has to be 'name: value'.")
  return { ...before, [name.toLowerCase()]: value }
}

function pid(text: string, before: number[] = []): number[] {
  return [...before, count(1, 99_999_999)(text)]
}
