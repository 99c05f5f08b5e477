// A promise of the ledger that was broken.

export type Vow = 'overspend' | 'lost' | 'twice' | 'sums' | 'hung' | 'refused'

export class Broken extends Error {
  override name = 'Broken'
  readonly kind: Vow

  constructor(kind: Vow, message: string) {
    super(`${kind}: ${message}`)
    this.kind = kind
  }
}
