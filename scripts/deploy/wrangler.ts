// Runs the real wrangler for an upload. What is secret goes by a file that only this user can read, and is gone afterwards; never by an argument.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { Failure } from '../admin/context.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import type { WorkerConfiguration } from './configuration.ts'

export interface Upload {
  configuration: WorkerConfiguration
  /** By name. Those that are not here stay as they are. */
  secrets: Record<string, string>
  /** The release, kept with what was uploaded: the next deploy reads which one runs. */
  tag: string
  message: string
  /** CLOUDFLARE_API_TOKEN, and CLOUDFLARE_API_BASE_URL where that is not Cloudflare. */
  environment: Record<string, string | undefined>
  /** Once it is aborted, an upload that somebody ends was stopped, and has not failed. */
  signal?: AbortSignal | undefined
}

/** Uploads, which is live at once. Returns the id of the new version. Throws Failure with wrangler's own words, without secrets. */
export async function uploadWorker({ configuration, secrets, tag, message, environment, signal }: Upload): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-deploy-'))
  const leaveNothing = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', leaveNothing)
  try {
    const config = join(folder, 'wrangler.json')
    const output = join(folder, 'output.ndjson')
    const secretsFile = join(folder, 'secrets.json')
    await writeFile(config, JSON.stringify(configuration), { mode: 0o600 })
    if (Object.keys(secrets).length > 0) await writeFile(secretsFile, JSON.stringify(secrets), { mode: 0o600 })
    const withSecrets = Object.keys(secrets).length > 0 ? ['--secrets-file', secretsFile] : []
    const { ended, said } = await runWrangler(['deploy', '--config', config, '--tag', tag, '--message', message, ...withSecrets], {
      CLOUDFLARE_ACCOUNT_ID: String(configuration.account_id),
      CLOUDFLARE_API_TOKEN: environment.CLOUDFLARE_API_TOKEN,
      CLOUDFLARE_API_BASE_URL: environment.CLOUDFLARE_API_BASE_URL,
      WRANGLER_OUTPUT_FILE_PATH: output,
    })
    if (ended.how === 'killed' && signal?.aborted) throw new Failure('Stopped.')
    const words = without(said, [...Object.values(secrets), environment.CLOUDFLARE_API_TOKEN ?? ''])
    if (ended.how !== 'done') throw new Failure(explained(`${words}\n${wordEnd(ended)}`))
    const version = await versionIn(output)
    if (version !== null) return version
    throw new Failure(signal?.aborted ? 'Stopped.' : NO_VERSION)
  } finally {
    leaveNothing()
    process.off('exit', leaveNothing)
  }
}

/** `killed`: by somebody else than the timer; then nobody knows how far it came. */
type Ended = { how: 'done' | 'failed' | 'overdue' } | { how: 'killed'; by: string }

function wordEnd(ended: Ended): string {
  if (ended.how === 'overdue') {
    return `ERROR: no end within ${UPLOAD_LIMIT_MS / 60_000} minutes: look at the network and at www.cloudflarestatus.com.`
  }
  return ended.how === 'killed' ? `ERROR: it was ended by ${ended.by} before it was done.` : ''
}

async function runWrangler(
  args: readonly string[],
  environment: Record<string, string | undefined>,
): Promise<{ ended: Ended; said: string }> {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'node_modules/wrangler/bin/wrangler.js'), ...args], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A terminal's Ctrl-C does not reach it: an upload that was begun is waited for, and then taken back.
    detached: true,
    windowsHide: true,
    // No log file: what is uploaded would be in it.
    env: { ...process.env, ...environment, ...QUIET },
  })
  const kill = () => child.kill()
  process.once('exit', kill)
  let overdue = false
  const limit = setTimeout(() => {
    overdue = true
    kill()
  }, UPLOAD_LIMIT_MS)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
  }
  const [code, by] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(limit)
  process.off('exit', kill)
  const signal = by ?? (code === null ? null : (BY_SIGNAL[code] ?? null))
  const ended: Ended = overdue
    ? { how: 'overdue' }
    : signal !== null
      ? { how: 'killed', by: signal }
      : { how: code === 0 ? 'done' : 'failed' }
  // wrangler colours the word ERROR whatever it is told.
  return { ended, said: stripVTControlCharacters(said) }
}

/** The exit codes of a process that saw a signal and ended itself. */
const BY_SIGNAL: Record<number, string> = { 130: 'SIGINT', 143: 'SIGTERM' }

/** An upload takes some seconds, a slow line a minute. */
const UPLOAD_LIMIT_MS = 300_000

const QUIET = {
  // wrangler would take these in the token's place.
  CLOUDFLARE_API_KEY: undefined,
  CLOUDFLARE_EMAIL: undefined,
  CI: '1',
  NO_COLOR: '1',
  FORCE_COLOR: '0',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_LOG: 'log',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_WRITE_LOGS: 'false',
}

/** The id that wrangler writes for whoever called it. Null: it was ended before that, which its own start script tells as a success. */
async function versionIn(output: string): Promise<string | null> {
  const text = await readFile(output, 'utf8').catch(() => '')
  const lines = text.split('\n').filter((line) => line !== '')
  const entries = lines.map((line) => JSON.parse(line) as { type: string; version_id?: string })
  return entries.find(({ type }) => type === 'deploy')?.version_id ?? null
}

const NO_VERSION = 'wrangler ended without an error and named no version: look at what is there with npx wrangler deployments list.'

/** What wrangler says of calls that are refused, with what to do about it. */
const REMEDIES: readonly [RegExp, string][] = [
  [
    /100328|CPU limits are not supported/,
    'This account is on the free plan: run it again with --plan free, or change the plan at Cloudflare.',
  ],
  [
    /\b(10000|9109|9106)\b|Authentication error/,
    'CLOUDFLARE_API_TOKEN lacks a right: Account > Workers Scripts > Edit, and for a domain Zone > Workers Routes > Edit.',
  ],
  [/10027|exceeds? the (size )?limit|too large/i, 'The Worker is larger than the plan allows (3 MB compressed on the free plan).'],
  [
    /100117|already has externally managed DNS records/,
    'The hostname has DNS records of its own: remove them, or choose another hostname.',
  ],
]

function explained(said: string): string {
  const errors = said
    .split('\n')
    .filter((line) => line.trim() !== '' && !/newer version of Wrangler|Logs were written|think this is a bug/.test(line))
  const from = errors.findIndex((line) => /ERROR/.test(line))
  const words = errors.slice(Math.max(0, from), Math.max(0, from) + 12).join('\n')
  const remedy = REMEDIES.find(([pattern]) => pattern.test(words))?.[1]
  return ['The upload failed.', ...(remedy === undefined ? [] : [remedy]), 'wrangler says:', words].join('\n')
}

function without(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== '').reduce((left, secret) => left.replaceAll(secret, '…'), text)
}
