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
}

/** Uploads, which is live at once. Returns the id of the new version. Throws Failure with wrangler's own words, without secrets. */
export async function uploadWorker({ configuration, secrets, tag, message, environment }: Upload): Promise<string> {
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
    const { code, said } = await runWrangler(['deploy', '--config', config, '--tag', tag, '--message', message, ...withSecrets], {
      CLOUDFLARE_ACCOUNT_ID: String(configuration.account_id),
      CLOUDFLARE_API_TOKEN: environment.CLOUDFLARE_API_TOKEN,
      CLOUDFLARE_API_BASE_URL: environment.CLOUDFLARE_API_BASE_URL,
      WRANGLER_OUTPUT_FILE_PATH: output,
    })
    if (code !== 0) throw new Failure(explained(without(said, [...Object.values(secrets), environment.CLOUDFLARE_API_TOKEN ?? ''])))
    return await versionIn(output)
  } finally {
    leaveNothing()
    process.off('exit', leaveNothing)
  }
}

async function runWrangler(
  args: readonly string[],
  environment: Record<string, string | undefined>,
): Promise<{ code: number; said: string }> {
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
  const overdue = setTimeout(kill, UPLOAD_LIMIT_MS)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(overdue)
  process.off('exit', kill)
  if (code === null)
    said += `\nERROR: no end within ${UPLOAD_LIMIT_MS / 60_000} minutes: look at the network and at www.cloudflarestatus.com.`
  // wrangler colours the word ERROR whatever it is told.
  return { code: code ?? 1, said: stripVTControlCharacters(said) }
}

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

/** The id that wrangler writes for whoever called it. */
async function versionIn(output: string): Promise<string> {
  const lines = (await readFile(output, 'utf8')).trim().split('\n')
  const entries = lines.map((line) => JSON.parse(line) as { type: string; version_id?: string })
  const id = entries.find(({ type }) => type === 'deploy')?.version_id
  if (!id) throw new Failure('wrangler uploaded the Worker but named no version: look at it with npx wrangler deployments list.')
  return id
}

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
