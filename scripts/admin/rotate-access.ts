// rotate-access: another service token for the deployed gateway's way to the box, without a refused request.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { readDeployment, writeDeployment } from '../cloudflare/deployment.ts'
import { publicFetch } from '../cloudflare/public-fetch.ts'
import { cloudflareClient } from '../deploy/running.ts'
import { POLICIES, TOKENS } from '../rotation/access-at-cloudflare.ts'
import { type AccessRotation, rotateAccess } from '../rotation/access-token.ts'
import { putSecretsBy, WORKERS } from '../rotation/worker-secrets.ts'
import { readSecrets } from '../setup/secrets-file.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import { duration } from './arguments.ts'
import { audited } from './audit.ts'
import { type Context, Failure, type Io, type Output } from './context.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { minute } from './table.ts'

interface Options extends AskingOptions {
  keep?: number
}

export function rotateAccessCommand(shell: Shell): Command {
  return shell
    .command(
      'rotate-access',
      'Gives the deployed gateway a new Access service token, and takes the old one away once the new one serves.',
      'rotate-access --yes',
    )
    .addOption(
      new Option(
        '--keep <time>',
        'how long the old token goes on working: run the same command after that; 0 ends it now (default: 0)',
      ).argParser(duration),
    )
    .option('--yes', 'do not ask')
    .action(async (options: Options) => {
      await rotatable(shell.io)
      // There is no Access before a gateway on this machine.
      return shell.runAfterYes({ ...options, remote: true }, 'Give the deployed gateway a new Access service token?', (context) =>
        rotate(context, options.keep ?? null),
      )
    })
}

const RIGHTS = [TOKENS, POLICIES, WORKERS, 'Account > D1 > Edit']

/** What is there to be rotated. Throws Failure where it cannot be done. */
async function rotatable({ project: directory = PROJECT_ROOT, environment }: Io): Promise<AccessRotation['deployment']> {
  const deployment = await readDeployment(directory).catch((error: Error) => {
    throw new Failure(error.message)
  })
  if (deployment === null) {
    throw new Failure('There is no deployment.json here: run npm run setup first. rotate-access changes only what that has made.')
  }
  const { host } = deployment
  if (host.kind !== 'access') throw new Failure('This gateway reaches its box by a Workers VPC service: no Access token is in the way.')
  if (!environment.CLOUDFLARE_API_TOKEN?.trim()) {
    throw new Failure(
      `rotate-access needs CLOUDFLARE_API_TOKEN, in the environment or in .dev.vars: the token of npm run setup, or another with the permissions ${RIGHTS.join(', ')}.`,
    )
  }
  if ((await readSecrets(directory)).CF_ACCESS_CLIENT_SECRET) {
    throw new Failure(
      '.dev.vars.deploy has an Access secret that the Worker has not got yet, and would bring it back: npm run deploy first.',
    )
  }
  return { ...deployment, host }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Any call may be the last one: what was made is noted at once, and the next run goes on from there. */
async function tellingOfStop<T>(io: Io, work: Promise<T>): Promise<T> {
  const stop = () => {
    io.err('Stopped. The gateway is let in as before: run the same command again, and it goes on from what is in deployment.json.\n')
    process.exit(130)
  }
  for (const signal of SIGNALS) process.once(signal, stop)
  try {
    return await work
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
  }
}

async function rotate({ db, who, io }: Context, keepMs: number | null): Promise<Output> {
  const deployment = await rotatable(io)
  const client = cloudflareClient(io.environment)
  const before = deployment.host.serviceTokens.at(-1)?.clientId ?? null
  const rotation = rotateAccess({
    client,
    deployment,
    save: () => writeDeployment(io.project ?? PROJECT_ROOT, deployment),
    put: putSecretsBy(client, deployment),
    fetch: publicFetch(io.environment),
    say: (line) => io.err(`${line}\n`),
    sleep: (ms) => sleep(ms),
    nowMs: Date.now,
    keepMs,
  })
  const { token, made, removed, keptUntil } = await tellingOfStop(io, rotation)
  const state = (clientId: string | null) => ({ sql: "SELECT json_object('client_id', ?)", params: [clientId] })
  await audited(
    db,
    { who, command: 'rotate-access', target: 'Access service token', before: state(before), after: state(token.clientId) },
    [],
  )
  const old =
    keptUntil === null
      ? 'The old one is gone.'
      : `The old one is let in, too: run rotate-access again after ${minute(Date.parse(keptUntil))} UTC, or with --keep 0 now.`
  const date = token.expiresAt.slice(0, 10)
  return {
    json: { client_id: token.clientId, expires_at: token.expiresAt, made, removed, old_kept_until: keptUntil },
    text: `The gateway is let in by ${made ? 'the new token' : 'the newer token'}, which ends on ${date}. ${old}\nNext: npm run deploy, which tells the Worker that date, so that it warns before.`,
  }
}
