// rotate-access: another service token for the deployed gateway's way to the box, without a refused request.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { readDeployment, writeDeployment } from '../cloudflare/deployment.ts'
import { publicFetch } from '../cloudflare/public-fetch.ts'
import { cloudflareClient } from '../deploy/running.ts'
import { type AccessLink, rotateAccess } from '../rotation/access-token.ts'
import { putSecretsBy } from '../rotation/worker-secrets.ts'
import { readSecrets } from '../setup/secrets-file.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import { duration } from './arguments.ts'
import { audited } from './audit.ts'
import { type Context, Failure, type Output } from './context.ts'
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
    .action((options: Options) =>
      // There is no Access before a gateway on this machine.
      shell.runAfterYes({ ...options, remote: true }, 'Give the deployed gateway a new Access service token?', (context) =>
        rotate(context, options.keep ?? null),
      ),
    )
}

async function rotate({ db, who, io }: Context, keepMs: number | null): Promise<Output> {
  const directory = io.project ?? PROJECT_ROOT
  const deployment = await readDeployment(directory).catch((error: Error) => {
    throw new Failure(error.message)
  })
  if (deployment === null) throw new Failure('There is no deployment.json here: only what npm run setup has made can be rotated.')
  const { host } = deployment
  if (host.kind !== 'access') throw new Failure('This gateway reaches its box by a Workers VPC service: no Access token is in the way.')
  if ((await readSecrets(directory)).CF_ACCESS_CLIENT_SECRET) {
    throw new Failure(
      '.dev.vars.deploy has an Access secret that the Worker has not got yet, and would bring it back: npm run deploy first.',
    )
  }
  const client = cloudflareClient(io.environment)
  const narrowed = deployment as typeof deployment & { host: AccessLink }
  const before = host.serviceTokens.at(-1)?.clientId ?? null
  const rotated = await rotateAccess({
    client,
    deployment: narrowed,
    save: () => writeDeployment(directory, deployment),
    put: putSecretsBy(client, deployment),
    fetch: publicFetch(io.environment),
    say: (line) => io.err(`${line}\n`),
    sleep: (ms) => sleep(ms),
    nowMs: Date.now,
    keepMs,
  })
  const { token, made, removed, keptUntil } = rotated
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
