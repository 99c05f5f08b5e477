// Reading systemd's unit files, for the tests of the box.

interface UnitLine {
  section: string
  key: string
  value: string
}

export function parseUnit(text: string): UnitLine[] {
  const lines: UnitLine[] = []
  let section = ''
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? []
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (name) section = name
    else if (section && key) lines.push({ section, key, value: value ?? '' })
    else throw new Error(`Not a line of a unit: ${line}`)
  }
  return lines
}

const words = (text: string) => text.trim().split(/\s+/)

// systemd.unit(5), systemd.service(5), systemd.exec(5): what is used here. systemd ignores a misspelt one with a warning in the log.
export const UNIT_DIRECTIVES: Record<string, readonly string[]> = {
  Unit: words('Description Documentation Wants After StartLimitIntervalSec'),
  Service: words(`
    Type LoadCredential ExecStart Environment Restart RestartSec TimeoutStartSec TimeoutStopSec DynamicUser UMask
    CapabilityBoundingSet AmbientCapabilities NoNewPrivileges ProtectSystem ProtectHome PrivateTmp PrivateDevices PrivateUsers
    ProtectClock ProtectControlGroups ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables ProtectProc
    ProcSubset RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID LockPersonality
    MemoryDenyWriteExecute RemoveIPC SystemCallArchitectures SystemCallFilter SystemCallErrorNumber`),
  Install: words('WantedBy'),
}
