// Measuring several subjects beside each other on a machine that is not the same from one second to the next.

/**
 * Runs each subject once a round. The order moves on by one each round and is turned round every other one, so that nobody always follows
 * the same one. A first round warms everything up and is not counted.
 * Returns each subject's runs, in the order of `subjects`.
 */
export async function interleave<S, R>(
  subjects: readonly S[],
  rounds: number,
  run: (subject: S, round: string) => Promise<R>,
): Promise<{ subject: S; runs: R[] }[]> {
  const results = subjects.map((subject) => ({ subject, runs: [] as R[] }))
  for (let round = 0; round <= rounds; round++) {
    for (const result of order(results, round)) {
      const measured = await run(result.subject, round === 0 ? 'warm-up' : `round ${round} of ${rounds}`)
      if (round > 0) result.runs.push(measured)
    }
  }
  return results
}

export function order<T>(items: readonly T[], round: number): T[] {
  const first = round % Math.max(1, items.length)
  const moved = [...items.slice(first), ...items.slice(0, first)]
  return round % 2 === 0 ? moved : moved.reverse()
}
