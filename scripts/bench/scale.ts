// Section scale: whether a customer's past makes the next request slower.
import { startGateway } from './cast.ts'
import { interleave } from './rounds.ts'
import { runLoad } from './run-load.ts'
import type { Stage } from './stage.ts'
import { median } from './statistics.ts'
import type { GatewaySubject } from './subjects.ts'
import { fillUsage } from './usage-rows.ts'

export interface ScaleRow {
  /** How many requests the customer has made in the last 30 days. */
  usageRows: number
  /** With one request in flight, p50. */
  firstMs: number
  /** Per request. */
  cpuMs: number
}

const FEW_ROWS = 100

export async function measureScale(stage: Stage): Promise<ScaleRow[]> {
  const gateways: { gateway: GatewaySubject; usageRows: number }[] = []
  try {
    for (const usageRows of [FEW_ROWS, stage.effort.manyRows]) {
      const name = `gateway with ${usageRows.toLocaleString('en-US')} usage rows`
      const gateway = await startGateway(stage, name)
      gateways.push({ gateway, usageRows })
      await fillUsage(gateway.db, usageRows, (done) => stage.progress.say(`scale: ${name}, ${done.toLocaleString('en-US')} written`))
    }
    const { rounds, requests, runMs } = stage.effort
    const load = { streaming: true, tokens: 16, inFlight: 1, requests: requests[1], runMs }
    const results = await interleave(gateways, rounds, ({ gateway }, round) =>
      runLoad(stage, gateway, `scale, ${round}: ${gateway.name}`, load),
    )
    return results.map(({ subject, runs }) => ({
      usageRows: subject.usageRows,
      firstMs: median(runs.map((run) => median(run.firstMs))),
      cpuMs: median(runs.map((run) => run.cpuMs / run.totalMs.length)),
    }))
  } finally {
    for (const { gateway } of gateways) await gateway.close()
  }
}
