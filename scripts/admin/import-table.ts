// An import before it is done: what would change, for people and for programs.

import { formatDecimal } from '../../worker/money.ts'
import type { Prices } from '../catalogue/format.ts'
import type { Change, PlannedModel, Selection } from './import-plan.ts'
import { tierText, tokenPrice, tokenPricesJson } from './prices.ts'
import { type Column, plural, table } from './table.ts'

const WORDS: Record<Change, string> = {
  new: 'new',
  dearer: 'dearer',
  cheaper: 'cheaper',
  changed: 'changed otherwise',
  same: 'the same',
  kept: 'kept as you set them',
  retired: 'retired',
}

/** Rows for a person; those that are the same, kept, or retired without ever having been in force, only if all are asked for. */
export function planText(plan: PlannedModel[], all: boolean): string {
  const rows = all ? plan : plan.filter(isNews)
  const counts = (Object.keys(WORDS) as Change[]).flatMap((change) => {
    const count = plan.filter((each) => each.change === change).length
    return count === 0 ? [] : [`${count} ${WORDS[change]}`]
  })
  const hidden = plan.length - rows.length
  const rest = hidden === 0 ? '' : ` (--all lists the other ${hidden}, too)`
  const summary = `${plural(plan.length, 'model')}: ${counts.join(', ') || 'none'}${rest}; dollars per million tokens`
  return rows.length === 0 ? summary : `${table(rows, columnsFor(rows))}\n${summary}`
}

function isNews({ change, before }: PlannedModel): boolean {
  return change === 'retired' ? before?.withdrawn === 0 : change !== 'same' && change !== 'kept'
}

function columnsFor(rows: PlannedModel[]): Column<PlannedModel>[] {
  const price = (title: string, name: Exclude<keyof Prices, 'aboveTokens'>): Column<PlannedModel> => ({
    title,
    value: (row) => cell(row, (prices) => tokenPrice(prices[name])),
    right: true,
  })
  return [
    { title: 'change', value: ({ change }) => change },
    { title: 'model', value: ({ model }) => model },
    price('input', 'inputPico'),
    price('cached', 'cachedInputPico'),
    price('cache write', 'cacheWritePico'),
    price('long write', 'cacheWriteLongPico'),
    price('output', 'outputPico'),
    ...(rows.some(({ before, after }) => (after ?? before)?.aboveTokens != null)
      ? [{ title: 'longer input', value: (row: PlannedModel) => cell(row, tierText) }]
      : []),
    { title: 'note', value: ({ note }) => note },
  ]
}

/** What is now, and what it would become. */
function cell({ before, after }: PlannedModel, show: (prices: Prices) => string): string {
  const was = before === null || before.withdrawn === 1 ? null : show(before)
  const is = after === null ? null : show(after)
  return was !== null && is !== null && was !== is ? `${was} → ${is}` : (is ?? was ?? '-')
}

export function planJson(plan: PlannedModel[]) {
  return plan.map(({ model, vendor, id, change, note, before, after }) => ({
    model,
    vendor,
    ...(id === model ? {} : { upstream_model: id }),
    change,
    note: note || null,
    before:
      before === null
        ? null
        : { id: before.id, withdrawn: before.withdrawn === 1, ...tokenPricesJson(before), output_max: before.outputMax },
    after: after === null ? null : { ...tokenPricesJson(after), output_default: after.outputDefault, output_max: after.outputMax },
  }))
}

/** 200000 → 20%. */
export function markupText(markup: Selection['markup']): string {
  return `${formatDecimal(markup, 4)}%`
}
