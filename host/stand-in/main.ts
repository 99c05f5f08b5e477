// The stand-in as a program: reads its arguments, serves until it is told to stop.
import { parseArgs } from 'node:util'
import { type Pace, type StandInOptions, startStandIn } from './server.ts'

const HELP = `Usage: node host/stand-in/main.ts [options]

An Ollama stand-in: it replays recorded answers of a real Ollama and runs no model.

  --port PORT             port to listen on (11434)
  --host ADDRESS          address to listen on (127.0.0.1)
  --pace PACE             recorded, instant, or the milliseconds between two chunks (recorded)
  --access-id ID          play Cloudflare Access in front: the service token's client id
  --access-secret SECRET  and its secret
  --help                  show this
`

/** The options on the command line; null when help is asked for. Throws an error that names the wrong argument. */
function readArguments(args: string[]): StandInOptions | null {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '11434' },
      host: { type: 'string', default: '127.0.0.1' },
      pace: { type: 'string', default: 'recorded' },
      'access-id': { type: 'string' },
      'access-secret': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new Error(`--port ${values.port}: a number from 0 to 65535 is needed`)
  const { 'access-id': clientId, 'access-secret': clientSecret } = values
  if (clientId === undefined && clientSecret === undefined) return { port, host: values.host, pace: readPace(values.pace) }
  if (!clientId) throw new Error('--access-id is needed with --access-secret')
  if (!clientSecret) throw new Error('--access-secret is needed with --access-id')
  return { port, host: values.host, pace: readPace(values.pace), access: { clientId, clientSecret } }
}

function readPace(text: string): Pace {
  if (text === 'recorded' || text === 'instant') return text
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text)
  throw new Error(`--pace ${text}: recorded, instant or a number of milliseconds is needed`)
}

async function main(): Promise<void> {
  let options: StandInOptions | null
  try {
    options = readArguments(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 2
    return
  }
  if (options === null) {
    console.log(HELP)
    return
  }
  let standIn: Awaited<ReturnType<typeof startStandIn>>
  try {
    standIn = await startStandIn(options)
  } catch (error) {
    console.error(`--port ${options.port}: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
    return
  }
  console.log(`${standIn.url} is an Ollama stand-in: it replays recorded answers, no model runs.`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void standIn.close())
}

await main()
