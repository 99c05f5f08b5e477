// Section paid: a vendor's model beside one of the host's, asked for alike; the bench's host is the vendor, too, so that only the gateway differs.
import { DIRECT, startGateway } from './cast.ts'
import { LEVELS_SHOWN } from './effort.ts'
import { type LoadPoint, measureLevel } from './load.ts'
import { measurePacedWays, type PacedRow } from './paced.ts'
import type { Stage } from './stage.ts'
import { directSubject, type GatewaySubject, MODEL, type Way } from './subjects.ts'

export const LOCAL = 'local'
export const PAID = 'paid'
/** Of a gateway that has no vendor's key, and so reads no request as a vendor would. */
export const LOCAL_ALONE = "local, no vendor's key"
/** For callers who do not ask for usage, whose streams are relayed by JavaScript. */
export const LOCAL_TAKEN_OUT = 'local, usage taken out'
export const PAID_TAKEN_OUT = 'paid, usage taken out'

const PAID_MODEL = `${MODEL}-paid`

/** By the names above; DIRECT is what "added" is counted from. */
export interface Paid {
  load: LoadPoint[]
  paced: PacedRow[]
}

export async function measurePaid(stage: Stage): Promise<Paid> {
  const gateways: GatewaySubject[] = []
  try {
    const alone = await startGateway(stage, LOCAL_ALONE)
    gateways.push(alone)
    const vars = { OPENAI_API_KEY: 'the-operators', OPENAI_BASE_URL: `${stage.host.origin}/v1` }
    const local = await startGateway(stage, LOCAL, vars)
    gateways.push(local)
    await sellPaidModel(local.db)
    const paid = { ...local, name: PAID, model: PAID_MODEL }
    const ways: Way[] = [
      directSubject(DIRECT, stage.host.origin),
      alone,
      local,
      paid,
      { ...local, name: LOCAL_TAKEN_OUT, withoutUsage: true },
      { ...paid, name: PAID_TAKEN_OUT, withoutUsage: true },
    ]
    const load: LoadPoint[] = []
    for (const inFlight of LEVELS_SHOWN) load.push(...(await measureLevel(stage, 'paid', ways, true, inFlight)))
    return { load, paced: await measurePacedWays(stage, 'paid', ways) }
  } finally {
    for (const gateway of gateways) await gateway.close()
  }
}

/** At the prices and with the limits of the model that the gateway has. */
async function sellPaidModel(db: D1Database): Promise<void> {
  await db
    .prepare(
      `INSERT INTO prices (model, upstream, upstream_model, request_nano, input_pico, cached_input_pico, output_pico, valid_from_ms, created_ms)
       SELECT ?1, 'openai', ?2, request_nano, input_pico, cached_input_pico, output_pico, 0, 0 FROM prices`,
    )
    .bind(PAID_MODEL, MODEL)
    .run()
}
