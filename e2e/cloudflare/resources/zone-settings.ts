// What a zone does with visitors that are no browsers: Browser Integrity Check and Bot Fight Mode.
import { type Api, body, fail, need, ok } from '../envelope.ts'
import type { CloudflareState } from '../state.ts'

/** Both are on unless they were set. */
interface ZoneSettings {
  browserCheck: 'on' | 'off'
  fightMode: boolean
}

export function zoneSettings(api: Api, state: CloudflareState): void {
  api.get('/zones/:zone/settings/browser_check', need(state, 'Zone Settings Read'), (c) =>
    ok(c, { id: 'browser_check', value: settingsOf(state, c.req.param('zone')).browserCheck, editable: true }),
  )
  api.patch('/zones/:zone/settings/browser_check', need(state, 'Zone Settings Write'), async (c) => {
    const { value } = await body(c)
    if (value !== 'on' && value !== 'off') return fail(c, 400, 1007, 'Invalid value for zone setting browser_check')
    settingsOf(state, c.req.param('zone')).browserCheck = value
    return ok(c, { id: 'browser_check', value, editable: true })
  })
  api.get('/zones/:zone/bot_management', need(state, 'Bot Management Read'), (c) => {
    // Paid zones have another one.
    if (state.zones.get(c.req.param('zone'))?.plan === 'Pro Website') {
      return ok(c, { sbfm_definitely_automated: 'managed_challenge', sbfm_verified_bots: 'allow', enable_js: false })
    }
    return ok(c, { fight_mode: settingsOf(state, c.req.param('zone')).fightMode, enable_js: false, using_latest_model: true })
  })
  api.put('/zones/:zone/bot_management', need(state, 'Bot Management Write'), async (c) => {
    const { fight_mode: value } = await body(c)
    if (typeof value === 'boolean') settingsOf(state, c.req.param('zone')).fightMode = value
    return ok(c, { fight_mode: settingsOf(state, c.req.param('zone')).fightMode })
  })
}

export function settingsOf(state: CloudflareState, zone: string): ZoneSettings {
  const settings = state.settings.get(zone) ?? { browserCheck: 'on', fightMode: true }
  state.settings.set(zone, settings)
  return settings
}
