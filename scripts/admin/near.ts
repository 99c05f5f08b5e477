// "Did you mean": the names that a mistyped one may have been.

const NEAR_MAX = 3

/** Up to three of the names: those that hold the text first, then those that take the fewest changes, at most a third of the text's length. */
export function near(text: string, names: Iterable<string>): string[] {
  const asked = text.toLowerCase()
  const scored = [...names].map((name) => ({ name, score: asked !== '' && name.includes(asked) ? 0 : changes(asked, name) }))
  return scored
    .filter(({ score }) => score <= asked.length / 3)
    .sort((a, b) => a.score - b.score || a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
    .slice(0, NEAR_MAX)
    .map(({ name }) => name)
}

/** How many characters have to be put in, left out or changed: Levenshtein's distance, one row of its table at a time. */
function changes(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j++) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === to[j] ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
