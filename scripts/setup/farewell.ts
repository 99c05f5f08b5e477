// What is told at the end: what to do next, and whether the box is there.
import { explained } from './run-steps.ts'
import { readSecrets } from './secrets-file.ts'
import type { Setup } from './setup-context.ts'
import { tunnel } from './steps/tunnel.ts'

const TIMEOUT_MS = 10_000

export async function farewell(setup: Setup, made: readonly string[], deployed: boolean): Promise<string[]> {
  const { deployment } = setup
  const lines = ['', made.length === 0 ? 'All was there already.' : `Made: ${made.join(', ')}.`]
  const next: string[] = []
  const box = await boxState(setup)
  if (box === 'not connected') {
    next.push(
      'The box is not connected yet. Copy box.env and host/compose.yaml there and start it (host/README.md has Linux, macOS and Windows):',
    )
    next.push('  scp -p box.env host/compose.yaml BOX: && ssh BOX docker compose up -d')
  } else if (box !== 'fine') next.push(box)
  if (!deployed) next.push('Deploy the gateway: npm run deploy')
  if (deployed) {
    next.push(`Your API: https://${deployment.public.hostname}`)
    next.push('Is all well: npm run doctor. The first customer:')
    next.push('  npm run admin -- create-customer Ada ada@example.com --budget 5 --remote')
    next.push('  npm run admin -- generate-key 1 --remote')
  }
  return [...lines, ...next]
}

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
