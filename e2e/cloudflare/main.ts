// `npm run stand-in:cloudflare`: an empty Cloudflare account on this machine, with its edge and an Ollama behind it, to walk from set-up over
// deploy to a metered request without Cloudflare. docs/deploy.md
import { startStandIn } from '../../host/stand-in/server.ts'
import { startCloudflare } from './app.ts'
import { type Arguments, HELP, readArguments } from './arguments.ts'
import { forward, startEdge } from './edge.ts'
import { letIn } from './let-in.ts'
import { addOrganization } from './resources/access.ts'
import { connect } from './resources/tunnels.ts'
import { SETUP_RIGHTS } from './rights.ts'

const { port, edgePort, zone, plan } = readOrLeave()
const cloudflare = await startCloudflare({ port }).catch((error) => inUse('--port', port, error))
const { state } = cloudflare
const account = state.addAccount('Stand-in')
state.addZone(account, zone)
state.plans.set(account, plan)
addOrganization(state, account, 'stand-in')
const token = state.addToken([account], [...SETUP_RIGHTS, 'Account Analytics Read'])

const ollama = await startStandIn({ access: [] })
ollama.edge({ tokens: () => letIn(state, account) })
const edge = await startEdge({
  port: edgePort,
  state,
  box(incoming, outgoing) {
    // The box connects as soon as its tunnel is there.
    for (const id of state.of('cfd_tunnel', account).keys()) connect(state, account, id, true)
    // A Workers VPC service has no Access before it.
    ollama.edge({ open: state.of('vpc_services', account).size > 0 })
    forward(incoming, outgoing, new URL(ollama.url))
  },
}).catch((error) => inUse('--edge-port', edgePort, error))

console.log(`A stand-in of Cloudflare, with an empty account and the domain ${zone}. It forgets all when it stops (Ctrl-C).
In another terminal, paste:

export CLOUDFLARE_API_BASE_URL=${cloudflare.url}
export CLOUDFLARE_EDGE_URL=${edge.url}
export CLOUDFLARE_API_TOKEN=${token}
export CLOUDFLARE_ACCOUNT_ID=${account}
npm run setup -- --account ${account}

Its edge answers for every hostname by the Host header:
curl ${edge.url}/health -H 'host: api.${zone}'
`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void edge.close().then(() => Promise.all([cloudflare.close(), ollama.close()])))
}

function readOrLeave(): Arguments {
  try {
    const read = readArguments(process.argv.slice(2))
    if (read !== null) return read
    process.stdout.write(HELP)
    process.exit(0)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(2)
  }
}

function inUse(option: string, port: number, error: NodeJS.ErrnoException): never {
  console.error(error.code === 'EADDRINUSE' ? `${option} ${port} is in use: give another one.` : `${option} ${port}: ${error.message}`)
  process.exit(1)
}
