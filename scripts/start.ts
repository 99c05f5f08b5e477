// `npm start`: the whole gateway on this machine, the Worker in workerd and its database in .wrangler/state, until Ctrl-C.
import { join, resolve } from 'node:path'
import { banner } from './start/banner.ts'
import { bundleWorker } from './start/bundle.ts'
import { demoKeyPath, findDemo, makeDemo, unpricedModels } from './start/demo.ts'
import { explain } from './start/explain.ts'
import { type Gateway, startGateway } from './start/gateway.ts'
import { jsonLine, logLine } from './start/log-line.ts'
import { findOllama, listModels, type Ollama } from './start/ollama.ts'
import { PROJECT_ROOT } from './start/project.ts'
import { sayIfSlow, stopProgress } from './start/say.ts'
import { loadSettings, type Settings } from './start/settings.ts'
import { onStopSignal } from './start/signals.ts'
import { countPricedModels } from './start/vendors.ts'

let settings = {} as Settings

/** A Worker settles for up to 30 s after its caller has gone. */
const SETTLE_MS = 35_000

/** With LOG=json standard output is for the objects alone. */
const say = (text: string) => (settings.logJson ? console.error(text) : console.log(text))

async function start(): Promise<{ gateway: Gateway; ollama: Ollama }> {
  const stateDir = resolve(PROJECT_ROOT, settings.stateDir)
  const [bundle, ollama] = await Promise.all([
    sayIfSlow('Bundling the Worker', bundleWorker(join(stateDir, 'bundle'))),
    findOllama({ url: settings.ollamaBaseUrl, access: settings.access, standIn: settings.standIn }),
  ])
  const gateway = await startGateway({
    bundle,
    stateDir,
    host: settings.host,
    port: settings.port,
    ollamaUrl: ollama.url,
    vars: settings.vars,
    onLog: (log) => console.log(settings.logJson ? jsonLine(log) : logLine(log, settings.colour)),
  })
  const models = await listModels(ollama.url, ollama.standIn ? null : settings.access).catch(() => [])
  const madeDemo = await makeDemo(gateway.db, models, stateDir, Date.now())
  const priced = await countPricedModels(gateway.db)
  const greeting = banner({
    url: gateway.url,
    ollama: { about: ollama.about, isStandIn: ollama.standIn !== null },
    vendors: settings.vendors.map((setting) => ({ ...setting, models: priced[setting.vendor] })),
    stateDir: settings.stateDir,
    recovered: gateway.recovered,
    demo: await findDemo(gateway.db, stateDir, Date.now()),
    demoKeyPath: demoKeyPath(settings.stateDir),
    madeDemo,
    models,
    unpriced: await unpricedModels(gateway.db, models, Date.now()),
    customers: (await gateway.db.prepare('SELECT count(*) AS n FROM customers').first<number>('n')) ?? 0,
  })
  say(`\n${greeting}\n\nCtrl-C stops it.\n`)
  return { gateway, ollama }
}

async function stop({ gateway, ollama }: { gateway: Gateway; ollama: Ollama }, graceMs: number): Promise<void> {
  say('\nStopping: no new requests are taken.')
  const left = await gateway.stop({ graceMs, settleMs: SETTLE_MS, onWait: stopProgress(say) })
  await ollama.standIn?.close()
  say(left === 0 ? 'Stopped; every request is settled.' : `Stopped; ${left} requests are left for the next start to settle.`)
}

let running: Awaited<ReturnType<typeof start>> | null = null

function exitWith(error: unknown): never {
  const { message, exitCode } = explain(error, settings)
  console.error(message)
  process.exit(exitCode)
}

// The terminal may be gone before the last request is settled.
process.stdout.on('error', () => {})
onStopSignal(
  () => (running === null ? process.exit(130) : stop(running, settings.stopGraceMs).then(() => process.exit(0), exitWith)),
  () => process.exit(130),
)
try {
  settings = loadSettings()
  running = await start()
} catch (error) {
  exitWith(error)
}
