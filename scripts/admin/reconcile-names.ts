// A vendor's model goes by several names: exports have dated ids (gpt-6-2026-08-01, claude-haiku-4-5-20251001) for what was asked for without a date.

/** The name without its date. */
export function undated(name: string): string {
  return name.replace(/-(\d{4}-\d{2}-\d{2}|\d{8})$/, '')
}

/** Finds what a name belongs to: the shortest name of those that are one model. */
export type Names = (name: string) => string

/** Joins the names of both sides: a name and itself if the other side has it, otherwise a name and those that differ by a date. */
export function joinNames(ledger: Iterable<string>, vendor: Iterable<string>): Names {
  const sides = [new Set(ledger), new Set(vendor)] as const
  const parent = new Map<string, string>()
  const find = (name: string): string => {
    const up = parent.get(name)
    return up === undefined ? name : find(up)
  }
  const join = (a: string, b: string) => {
    const [x, y] = [find(a), find(b)]
    if (x === y) return
    const isLabel = x.length < y.length || (x.length === y.length && x < y)
    parent.set(isLabel ? y : x, isLabel ? x : y)
  }
  for (const [mine, others] of [sides, [sides[1], sides[0]] as const]) {
    for (const name of mine) {
      if (others.has(name)) continue
      for (const other of others) if (undated(name) === other || name === undated(other)) join(name, other)
    }
  }
  return find
}
