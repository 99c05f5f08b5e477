// What a zone does with visitors that are no browsers: the gateway's customers are such.
import Cloudflare from 'cloudflare'
import { DEPLOYMENT_FILE, type Deployment } from '../../cloudflare/deployment.ts'
import type { Setup, Step } from '../setup-context.ts'
import { zoneOf } from './dns-record.ts'

interface Check {
  field: 'browserCheck' | 'botFightMode'
  name: string
  /** What it does to customers. */
  harm: string
  rights: readonly string[]
  /** Where it is in the dashboard, below the zone. */
  place: string
  isOn(client: Cloudflare, zone_id: string): Promise<boolean>
  set(client: Cloudflare, zone_id: string, on: boolean): Promise<unknown>
  /** Where the plan has a finer switch than that, which is the owner's: what to do. Null: it has none, or it is set so. */
  finer?(client: Cloudflare, zone_id: string, hostname: string): Promise<string | null>
}

interface SuperFightMode {
  sbfm_definitely_automated?: string
  sbfm_likely_automated?: string
}

export const browserCheck: Step = zoneCheck({
  field: 'browserCheck',
  name: 'Browser Integrity Check',
  harm: 'answers SDKs and curl with a page (403) instead of the API',
  rights: ['Zone > Zone Settings > Edit'],
  place: 'Security > Settings > Browser integrity check',
  isOn: async (client, zone_id) => {
    const setting = (await client.zones.settings.get('browser_check', { zone_id })) as { value?: unknown }
    return setting.value === 'on'
  },
  set: (client, zone_id, on) => client.zones.settings.edit('browser_check', { zone_id, value: on ? 'on' : 'off' } as never),
})

export const botFightMode: Step = zoneCheck({
  field: 'botFightMode',
  name: 'Bot Fight Mode',
  harm: 'takes SDKs for bots (403), and on a free zone knows no exception',
  rights: ['Zone > Bot Management > Edit'],
  place: 'Security > Settings > Bot fight mode',
  isOn: async (client, zone_id) => ((await client.botManagement.get({ zone_id })) as { fight_mode?: boolean }).fight_mode === true,
  set: (client, zone_id, on) => client.botManagement.update({ zone_id, fight_mode: on } as never),
  // Of paid zones. It can be skipped for one hostname, which is better than to turn it off, and needs a rule of the owner's.
  async finer(client, zone_id, hostname) {
    const { sbfm_definitely_automated: sure, sbfm_likely_automated: likely } = (await client.botManagement.get({
      zone_id,
    })) as SuperFightMode
    if ([sure, likely].every((action) => action === undefined || action === 'allow')) return null
    return `Super Bot Fight Mode is on, and takes SDKs for bots (403). Skip it for the gateway: Security > Security rules > Custom rules, hostname equals ${hostname}, action Skip, Super Bot Fight Mode rules.`
  },
})

/** The right is wanted, not needed: without it set-up says where the switch is. */
function zoneCheck(check: Check): Step {
  const { field, name } = check
  return {
    name,
    why: check.harm,
    rights: check.rights,
    applies: (deployment) => deployment.public.kind === 'domain',

    async find(setup) {
      if (setup.deployment.zoneChecks?.[field] === 'kept') return 'stays on, as you chose'
      const on = await check.isOn(setup.client, zoneOf(setup)).catch(nullIfForbidden)
      const finer = on === false ? await check.finer?.(setup.client, zoneOf(setup), setup.deployment.public.hostname) : null
      if (finer) {
        setup.hint(finer)
        return 'Super Bot Fight Mode is on: see the end'
      }
      return on === false ? `off for ${zoneNameOf(setup)}` : null
    },

    async ask(setup) {
      // One that the token may not see is told of when it comes to it.
      if ((await check.isOn(setup.client, zoneOf(setup)).catch(nullIfForbidden)) !== true) return
      const question = `${name} is on for all of ${zoneNameOf(setup)}. It ${check.harm}. Turn it off there?`
      if (!(await setup.ask.yes(question, true))) note(setup, field, 'kept')
    },

    async make(setup) {
      const zone = zoneNameOf(setup)
      if (setup.deployment.zoneChecks?.[field] === 'kept') {
        setup.hint(`${name} stays on for ${zone}: it ${check.harm}.`)
        return 'stays on, as you chose'
      }
      const done = await check.set(setup.client, zoneOf(setup), false).catch(nullIfForbidden)
      if (done === null) return byHand(setup, check)
      note(setup, field, 'off')
      return `turned off for ${zone}`
    },

    async check(setup) {
      if (setup.deployment.zoneChecks?.[field] !== 'off') return
      const on = await check.isOn(setup.client, zoneOf(setup)).catch(nullIfForbidden)
      if (on === true) byHand(setup, check)
    },

    async toUndo(setup) {
      const zone = zoneNameOf(setup)
      const noted = setup.deployment.zoneChecks?.[field]
      if (noted === 'off') return `on again for ${zone}`
      const off = noted === undefined && (await check.isOn(setup.client, zoneOf(setup)).catch(nullIfForbidden)) === false
      const finer = off ? await check.finer?.(setup.client, zoneOf(setup), setup.deployment.public.hostname) : null
      if (off && !finer) {
        setup.hint(
          `${name} is off for all of ${zone}, and stays off: whether set-up turned it off is not known (a ${DEPLOYMENT_FILE} that was lost had it). If it did, turn it on again: dash.cloudflare.com > ${zone} > ${check.place}.`,
        )
      }
      return null
    },

    async undo(setup) {
      if (setup.deployment.zoneChecks?.[field] !== 'off') return null
      await check.set(setup.client, zoneOf(setup), true)
      delete setup.deployment.zoneChecks[field]
      return null
    },
  }
}

function byHand(setup: Setup, { name, harm, place, rights }: Check): string {
  const zone = zoneNameOf(setup)
  setup.hint(
    `${name} ${harm}, and the token may not change it (${rights.join(', ')}). Look at dash.cloudflare.com > ${zone} > ${place}, and turn it off.`,
  )
  return 'not seen: the token may not'
}

function note({ deployment }: Setup, field: Check['field'], what: 'off' | 'kept'): void {
  deployment.zoneChecks = { ...deployment.zoneChecks, [field]: what }
}

function zoneNameOf({ deployment }: Setup): string {
  return (deployment.public as Extract<Deployment['public'], { kind: 'domain' }>).zoneName
}

function nullIfForbidden(error: unknown): null {
  if (error instanceof Cloudflare.APIError && (error.status === 401 || error.status === 403)) return null
  throw error
}
