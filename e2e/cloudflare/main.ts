// `npm run stand-in:cloudflare`: an empty Cloudflare account on this machine, to walk through set-up without one. docs/setup.md
import { parseArgs } from 'node:util'
import { startCloudflare } from './app.ts'
import { addOrganization } from './resources/access.ts'
import { SETUP_RIGHTS } from './rights.ts'

const { values } = parseArgs({ options: { port: { type: 'string', default: '8790' }, zone: { type: 'string', default: 'example.com' } } })
const cloudflare = await startCloudflare({ port: Number(values.port) })
const account = cloudflare.state.addAccount('Stand-in')
cloudflare.state.addZone(account, values.zone)
addOrganization(cloudflare.state, account, 'stand-in')
const token = cloudflare.state.addToken([account], SETUP_RIGHTS)

console.log(`A stand-in of Cloudflare's API, with an empty account and the domain ${values.zone}. It forgets all when it stops (Ctrl-C).
In another terminal, paste:

export CLOUDFLARE_API_BASE_URL=${cloudflare.url}
export CLOUDFLARE_API_TOKEN=${token}
export CLOUDFLARE_ACCOUNT_ID=${account}
npm run setup -- --account ${account}
`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cloudflare.close())
