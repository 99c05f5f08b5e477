// What is told at the end: what to do next, and whether the box is there.
import { explained } from './run-steps.ts'
import { readSecrets } from './secrets-file.ts'
import type { Setup } from './setup-context.ts'
import { database, type Offered, offered } from './steps/database.ts'
import { tunnel } from './steps/tunnel.ts'

const TIMEOUT_MS = 10_000

export async function farewell(setup: Setup, made: readonly string[], deployed: boolean): Promise<string[]> {
  const { deployment } = setup
  const box = await boxState(setup)
  const next = [
    ...(box === 'not connected' ? BOX : []),
    ...(deployed ? [] : ['- the gateway:', '    npm run deploy']),
    ...ledgerSteps(await explained(database, () => offered(setup))),
    '- is all well?',
    '    npm run doctor',
  ]
  return [
    '',
    made.length === 0 ? 'All was there already.' : `Made: ${made.join(', ')}.`,
    ...(deployed ? [`Your API: https://${deployment.public.hostname}`] : []),
    ...(box === 'not connected' || box === 'fine' ? [] : [box]),
    'Next:',
    ...next,
  ]
}

const BOX = [
  '- the box, which is not connected yet: cloudflared and Ollama (host/README.md has Linux, macOS and Windows):',
  '    scp -p box.env host/compose.yaml BOX: && ssh BOX docker compose up -d',
]

/** In the order in which one needs the other; what is there already is left out. */
function ledgerSteps({ prices, customers, keys }: Offered): string[] {
  const whose = customers === 0 ? 'the id that create-customer printed' : "the customer's id, as list-customers --remote shows it"
  return [
    ...(prices > 0
      ? []
      : ["- a price ('*' is every model of the box):", `    ${ADMIN} set-pricing '*' 0.0001 0 --input 0.10 --output 0.40 --remote`]),
    ...(customers > 0 ? [] : ['- a customer:', `    ${ADMIN} create-customer Ada ada@example.com --budget 5 --remote`]),
    ...(keys > 0 ? [] : [`- a key for them, shown once (ID: ${whose}):`, `    ${ADMIN} generate-key ID --remote`]),
  ]
}

const ADMIN = 'npm run admin --'

/** An Ollama that is not there is no error of set-up: the box may come later. */
async function boxState(setup: Setup): Promise<string> {
  const { client, deployment, directory, publicFetch } = setup
  const state = await explained(tunnel, async () =>
    client.zeroTrust.tunnels.cloudflared.get(deployment.tunnel?.id ?? '', { account_id: deployment.accountId }),
  )
  if (state.status !== 'healthy' && state.status !== 'degraded') return 'not connected'
  const { CF_ACCESS_CLIENT_ID: id, CF_ACCESS_CLIENT_SECRET: secret } = await readSecrets(directory)
  if (publicFetch === null || deployment.host.kind !== 'access' || !id || !secret) return 'fine'
  const { hostname } = deployment.host
  try {
    const headers = { 'CF-Access-Client-Id': id, 'CF-Access-Client-Secret': secret }
    const answer = await publicFetch(`https://${hostname}/api/version`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
    await answer.body?.cancel()
    if (answer.status === 502)
      return 'The box is connected, and its Ollama is not there. On the box: docker compose logs ollama, or systemctl status ollama'
    if (answer.status === 530) return 'not connected'
    return answer.ok ? 'fine' : `https://${hostname} answers ${answer.status} to the gateway: npm run doctor says why.`
  } catch {
    return `https://${hostname} is not to be reached from here yet: npm run doctor looks again.`
  }
}
