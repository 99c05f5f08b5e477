// The DNS record of the box's hostname, which leads into the tunnel. It comes after Access, so that the box is never open.
import { isAccess } from '../../cloudflare/deployment.ts'
import { guardProblem, tokenProblem } from '../guard.ts'
import { NotOurs, nullIfMissing, SetupError } from '../problem.ts'
import type { Setup, Step } from '../setup-context.ts'
import { accessOf } from './service-token.ts'

export const dnsRecord: Step = {
  name: 'DNS record',
  why: "gives the box's hostname to the tunnel, now that Access guards it",
  rights: ['Zone > DNS > Edit', 'Zone > Zone > Read'],
  applies: isAccess,

  async find(setup) {
    const { client, deployment } = setup
    const host = accessOf(deployment)
    delete host.dnsRecordId
    for await (const one of client.dns.records.list({ zone_id: zoneOf(setup), name: { exact: host.hostname } })) {
      const record = one as DnsRecord
      if (record.name !== host.hostname) continue
      if (record.content !== targetOf(setup)) {
        throw new NotOurs(
          `${host.hostname} has a DNS record already (${record.type} ${record.content}), which set-up did not make. Give the box another hostname (--box-hostname ollama2.${zoneNameOf(setup)}), or remove that record.`,
        )
      }
      host.dnsRecordId = record.id as string
      return host.hostname
    }
    return null
  },

  async make(setup) {
    const { client } = setup
    const host = accessOf(setup.deployment)
    const made = await client.dns.records.create({
      zone_id: zoneOf(setup),
      type: 'CNAME',
      name: host.hostname,
      content: targetOf(setup) ?? '',
      proxied: true,
      ttl: 1,
      comment: 'Made by npm run setup of the Ollama gateway',
    })
    host.dnsRecordId = (made as DnsRecord).id as string
    return `${host.hostname}, through Cloudflare's proxy`
  },

  async check(setup) {
    const host = accessOf(setup.deployment)
    const record = (await setup.client.dns.records.get(host.dnsRecordId ?? '', { zone_id: zoneOf(setup) })) as DnsRecord
    if (record.proxied !== true) {
      throw new SetupError(
        `The DNS record of ${host.hostname} is not proxied, so that Access cannot guard it. Set it to Proxied, and run npm run setup again.`,
      )
    }
    const problem = await guardProblem(setup, host.hostname)
    if (problem === null) {
      const refused = await tokenProblem(setup, host.hostname)
      if (refused !== null) setup.hint(refused)
      return
    }
    if (problem.open) await dnsRecord.undo(setup).then(() => setup.save())
    if (problem.open) throw new SetupError(problem.message)
    setup.hint(problem.message)
  },

  async undo(setup) {
    const host = accessOf(setup.deployment)
    if (host.dnsRecordId === undefined) return null
    await setup.client.dns.records.delete(host.dnsRecordId, { zone_id: zoneOf(setup) }).catch(nullIfMissing)
    delete host.dnsRecordId
    return null
  },
}

interface DnsRecord {
  id?: string
  name?: string
  type?: string
  content?: string
  proxied?: boolean
}

function targetOf({ deployment }: Setup): string | null {
  return deployment.tunnel === undefined ? null : `${deployment.tunnel.id}.cfargotunnel.com`
}

export function zoneOf({ deployment }: Setup): string {
  if (deployment.public.kind !== 'domain') throw new Error('this deployment has no zone')
  return deployment.public.zoneId
}

function zoneNameOf({ deployment }: Setup): string {
  return deployment.public.kind === 'domain' ? deployment.public.zoneName : ''
}
