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

/** One of this Worker's, by its name alone. */
export function isOurToken(worker: string, name: string | undefined): boolean {
  return name === setupTokenName(worker) || isRotatedToken(worker, name)
}

/** When it was made, as far as the name tells; set-up's is before every rotation. */
export function madeAtMs(worker: string, name: string): number {
  return isRotatedToken(worker, name) ? Date.parse(name.slice(`${worker}${ROTATED}`.length, -1)) : 0
}
