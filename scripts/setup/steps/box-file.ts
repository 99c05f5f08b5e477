// box.env: the one file that the box needs. Whoever has it can answer in the box's place.
import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { SetupError } from '../problem.ts'
import { writePrivate } from '../secrets-file.ts'
import type { Setup, Step } from '../setup-context.ts'

const BOX_FILE = 'box.env'

export const boxFile: Step = {
  name: BOX_FILE,
  why: "the tunnel's token, for cloudflared on the box (only you can read it; never paste it)",
  rights: ['Account > Cloudflare Tunnel > Edit'],
  applies: () => true,

  async find(setup) {
    return (await isForTunnel(setup)) ? `written, mode 0600` : null
  },

  async make({ client, deployment, directory, dryRun }) {
    const token = await client.zeroTrust.tunnels.cloudflared.token.get(deployment.tunnel?.id ?? '', { account_id: deployment.accountId })
    // A Workers VPC service needs QUIC.
    const lines = [`TUNNEL_TOKEN=${token}`, ...(deployment.host.kind === 'vpc' ? ['TUNNEL_TRANSPORT_PROTOCOL=quic'] : [])]
    if (!dryRun) await writePrivate(join(directory, BOX_FILE), `${lines.join('\n')}\n`)
    return 'written, mode 0600'
  },

  async check(setup) {
    if (!(await isForTunnel(setup))) throw new SetupError(`${BOX_FILE} is not this tunnel's. Remove it and run npm run setup again.`)
  },

  toUndo: async ({ directory }) => ((await read(directory)) === '' ? null : 'the file'),

  async undo({ directory, dryRun }) {
    if (!dryRun) await rm(join(directory, BOX_FILE), { force: true })
    return null
  },
}

/** The token says which tunnel it is for. */
async function isForTunnel({ deployment, directory }: Setup): Promise<boolean> {
  const text = await read(directory)
  const { TUNNEL_TOKEN: token = '' } = parseEnv(text)
  if (token === '' || (await isReadByOthers(join(directory, BOX_FILE)))) return false
  try {
    const { a, t } = JSON.parse(Buffer.from(token, 'base64').toString()) as { a?: string; t?: string }
    return a === deployment.accountId && t === deployment.tunnel?.id
  } catch {
    return false
  }
}

/** Windows has no such modes: there the directory's rights count. */
async function isReadByOthers(path: string): Promise<boolean> {
  return process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0
}

/** '' where there is none. */
function read(directory: string): Promise<string> {
  return readFile(join(directory, BOX_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
}
