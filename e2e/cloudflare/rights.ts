// The rights of a token that may do all of set-up, by their names in the API.
import type { Right } from './state.ts'

export const SETUP_RIGHTS: readonly Right[] = [
  'Account Settings Read',
  'Zone Read',
  'D1 Write',
  'Cloudflare Tunnel Write',
  'Workers Scripts Write',
  'Access: Service Tokens Write',
  'Access: Apps and Policies Write',
  'Access: Organizations, Identity Providers, and Groups Read',
  'DNS Write',
  'Workers Routes Write',
  'Zone Settings Write',
  'Bot Management Write',
  'Connectivity Directory Admin',
]
