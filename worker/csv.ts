// CSV as RFC 4180 has it, and harmless when a spreadsheet opens it.

/** An exact number, which may be negative; a text that looks like one is still a text. */
export interface Decimal {
  decimal: string
}

type Field = string | number | null | Decimal

/** One line: fields quoted where they have to be, CRLF at the end. */
export function csvLine(fields: readonly Field[]): string {
  return `${fields.map(csvField).join(',')}\r\n`
}

/**
 * A text that a spreadsheet would take for a formula gets an apostrophe before it (CWE-1236); numbers are left as they are.
 * What it may begin with: https://owasp.org/www-community/attacks/CSV_Injection
 */
function csvField(value: Field): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  if (typeof value === 'object') return value.decimal
  const text = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}
