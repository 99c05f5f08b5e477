// Runs a script or tool of this project under the Node that package.json pins, installing packages first if they are missing or stale.
// Plain JavaScript with nothing but Node's own modules: it has to run on whatever Node (20 or newer) the machine has.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const pinnedNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
const stamp = join(root, 'node_modules', '.installed-lockfile')
const lockPath = join(root, 'package-lock.json')
const lockfile = readFileSync(lockPath, 'utf8')

const [target, ...args] = process.argv.slice(2)
if (!target) {
  console.error('usage: node scripts/run.mjs <script.ts | tool> [arguments]')
  process.exit(2)
}

// npm keeps its own copy of what it installed; ours says that it was for this very lockfile, by whoever's `npm ci`.
const npmsOwn = join(root, 'node_modules', '.package-lock.json')
const fresh = existsSync(stamp)
  ? readFileSync(stamp, 'utf8') === lockfile
  : existsSync(npmsOwn) && statSync(npmsOwn).mtimeMs > statSync(lockPath).mtimeMs
const installed = existsSync(pinnedNode) && fresh
if (!installed) {
  console.error('Installing packages (the first time, and after an update) …')
  // `npm ci` from within an npm script: npm names itself in npm_execpath.
  const npm = process.env.npm_execpath
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []]
  const done = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (done.status !== 0) {
    console.error('npm could not install the packages; its message is above. Check the network and run the same command again.')
    process.exit(1)
  }
  if (!existsSync(pinnedNode)) {
    console.error(
      'The pinned Node comes by an install script, and those are switched off (ignore-scripts). Run: npm ci --ignore-scripts=false',
    )
    process.exit(1)
  }
  writeFileSync(stamp, lockfile)
}

const isScript = /\.(ts|mjs|js)$/.test(target)
const script = isScript ? join(root, target) : toolEntry(target)
const child = spawn(pinnedNode, ['--disable-warning=ExperimentalWarning', script, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(pinnedNode)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}` },
})
// A terminal sends Ctrl-C to the whole group, the child included; a signal sent to this process alone is passed on once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)))
// npm gives a SIGTERM to the shell that it starts us in, and that dies without passing it on: seen by its being gone.
if (process.env.npm_lifecycle_event) {
  const parent = process.ppid
  const look = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(look)
    child.kill('SIGTERM')
  }, 500)
}
child.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))

/** The JavaScript file behind a package's command, so that it runs under the pinned Node on every platform. */
function toolEntry(tool) {
  const packages = { vitest: 'vitest', wrangler: 'wrangler', biome: '@biomejs/biome', knip: 'knip', tsc: 'typescript' }
  const name = packages[tool]
  if (!name) throw new Error(`unknown tool ${tool}`)
  const manifest = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
  return join(root, 'node_modules', name, typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[tool])
}
