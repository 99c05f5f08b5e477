// How the gateway's Access service tokens are called at Cloudflare, so that they are found where deployment.json was lost.

const ROTATED = ' (rotated '

/** That of `npm run setup`. */
export function setupTokenName(worker: string): string {
  return `${worker} (npm run setup)`
}

export function rotatedTokenName(worker: string, nowMs: number): string {
  return `${worker}${ROTATED}${new Date(nowMs).toISOString()})`
}

export function isRotatedToken(worker: string, name: string | undefined): boolean {
  return name?.startsWith(`${worker}${ROTATED}`) === true
}
