// The command line of the stand-in of Cloudflare.
import { parseArgs } from 'node:util'

export const HELP = `Usage: npm run stand-in:cloudflare -- [options]

An empty Cloudflare account on this machine, with its edge and an Ollama behind it. It prints what to paste into another terminal.

  --port PORT        where its API listens (8790)
  --edge-port PORT   where its edge listens (8791)
  --zone DOMAIN      the domain of the account (example.com)
  --plan PLAN        free or paid, the account's plan of Workers (free)
  --help             show this
`

export interface Arguments {
  port: number
  edgePort: number
  zone: string
  plan: 'free' | 'paid'
}

/** null: help is asked for. Throws an Error that names the argument. */
export function readArguments(args: string[]): Arguments | null {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '8790' },
      'edge-port': { type: 'string', default: '8791' },
      zone: { type: 'string', default: 'example.com' },
      plan: { type: 'string', default: 'free' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const { zone, plan } = values
  if (plan !== 'free' && plan !== 'paid') throw new Error(`--plan ${plan}: free or paid is needed`)
  if (!/^[a-z\d-]+(?:\.[a-z\d-]+)+$/.test(zone)) throw new Error(`--zone ${zone}: a domain such as example.com is needed`)
  return { port: portIn('--port', values.port), edgePort: portIn('--edge-port', values['edge-port']), zone, plan }
}

function portIn(option: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new Error(`${option} ${text}: a number from 0 to 65535 is needed`)
}
