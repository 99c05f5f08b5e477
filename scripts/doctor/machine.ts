// This machine: the Node that runs, what is set, and the port.
import { createServer } from 'node:net'
import { SettingError, type Settings } from '../start/settings.ts'
import { bad, badAlone, type Finding, ok, warning } from './finding.ts'

/** The least that wrangler runs on. */
const NODE_SINCE = [22, 12]

/** @param version as `process.versions.node` */
export function judgeNode(version: string, pinned: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [sinceMajor = 0, sinceMinor = 0] = NODE_SINCE
  if (major < sinceMajor || (major === sinceMajor && minor < sinceMinor)) {
    return bad(
      `${version} is older than ${NODE_SINCE.join('.')}`,
      'npm ci installs the one that the project runs on; then use npm run doctor.',
    )
  }
  if (version !== pinned) return warning(`${version}, the project is tried on ${pinned}`, 'npm ci, then use npm run doctor.')
  return ok(version)
}

/** @param read reads the settings, or throws SettingError */
export function judgeSettings(read: () => Settings, hasFile: boolean): { finding: Finding; settings: Settings | null } {
  const from = hasFile ? '.dev.vars' : 'no .dev.vars: everything is as it is unless told'
  try {
    const settings = read()
    const keys = settings.vendors.filter(({ keyFrom }) => keyFrom !== null).map(({ vendor }) => vendor)
    const vendors = keys.length === 0 ? '' : `, with a key for ${keys.join(' and ')}`
    return { finding: ok(`${from}${vendors}`), settings }
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    return { finding: bad(error.message, 'Mend it in .dev.vars; .dev.vars.example has each setting with what it may be.'), settings: null }
  }
}

/** The port of a gateway that does not run: a start must be able to have it. */
export async function askPort(host: string, port: number): Promise<Finding> {
  return judgePort(port, await canListen(host, port))
}

export function judgePort(port: number, failed: string | null): Finding {
  if (failed === null) return ok(`${port} is free for npm start`)
  if (failed === 'EADDRINUSE')
    return badAlone(`${port} is taken by another program`, `End that one, or start with another: PORT=${port + 1} npm start`)
  return badAlone(`${port} cannot be used (${failed})`, `Choose another: PORT=8787 npm start`)
}

/** null, or the code of what stands against it. */
function canListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen(port, host, () => server.close(() => resolve(null)))
  })
}
