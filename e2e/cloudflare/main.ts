// `npm run stand-in:cloudflare`: an empty Cloudflare account on this machine, with its edge and an Ollama behind it, to walk from set-up over
// deploy to a metered request without Cloudflare. docs/deploy.md
import { parseArgs } from 'node:util'
import { startStandIn } from '../../host/stand-in/server.ts'
import { startCloudflare } from './app.ts'
import { forward, startEdge } from './edge.ts'
import { letIn } from './let-in.ts'
import { addOrganization } from './resources/access.ts'
import { connect } from './resources/tunnels.ts'
import { SETUP_RIGHTS } from './rights.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8790' },
    'edge-port': { type: 'string', default: '8791' },
    zone: { type: 'string', default: 'example.com' },
    plan: { type: 'string', default: 'free' },
  },
})
const cloudflare = await startCloudflare({ port: Number(values.port) }).catch((error) => inUse('--port', values.port, error))
const { state } = cloudflare
const account = state.addAccount('Stand-in')
state.addZone(account, values.zone)
state.plans.set(account, values.plan === 'paid' ? 'paid' : 'free')
addOrganization(state, account, 'stand-in')
const token = state.addToken([account], [...SETUP_RIGHTS, 'Account Analytics Read'])

const ollama = await startStandIn({ access: [] })
ollama.edge({ tokens: () => letIn(state, account) })
const edge = await startEdge({
  port: Number(values['edge-port']),
  state,
  box(incoming, outgoing) {
    // The box connects as soon as its tunnel is there.
    for (const id of state.of('cfd_tunnel', account).keys()) connect(state, account, id, true)
    // A Workers VPC service has no Access before it.
    ollama.edge({ open: state.of('vpc_services', account).size > 0 })
    forward(incoming, outgoing, new URL(ollama.url))
  },
}).catch((error) => inUse('--edge-port', values['edge-port'], error))

const { port } = new URL(edge.url)
console.log(`A stand-in of Cloudflare, with an empty account and the domain ${values.zone}. It forgets all when it stops (Ctrl-C).
In another terminal, paste:

export CLOUDFLARE_API_BASE_URL=${cloudflare.url}
export CLOUDFLARE_EDGE_URL=${edge.url}
export CLOUDFLARE_API_TOKEN=${token}
export CLOUDFLARE_ACCOUNT_ID=${account}
npm run setup -- --account ${account}

Its edge answers for every hostname by the Host header:
curl http://127.0.0.1:${port}/health -H 'host: api.${values.zone}'
`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void edge.close().then(() => Promise.all([cloudflare.close(), ollama.close()])))
}

function inUse(option: string, port: string, error: NodeJS.ErrnoException): never {
  console.error(error.code === 'EADDRINUSE' ? `${option} ${port} is in use: give another one.` : `${option} ${port}: ${error.message}`)
  process.exit(1)
}
