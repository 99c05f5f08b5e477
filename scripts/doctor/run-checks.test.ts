// The order of the checks, what is skipped, and how the list is printed.
import { expect, test } from 'vitest'
import { bad, badAlone, type Check, ok, unasked, warning } from './finding.ts'
import { resultLine, resultsJson, sumLine, unseenLine } from './print.ts'
import { runChecks } from './run-checks.ts'

const check = (name: string, needs: string[], run: Check<null>['run']): Check<null> => ({ name, title: name, needs, run })
const quiet = { onStart() {}, onResult() {} }

test('what needs a check that is wrong is skipped, and so is what needs that; the first reason is told', async () => {
  const made: string[] = []
  const results = await runChecks(
    [
      check('a', [], async () => bad('broken', 'Mend it.')),
      check('b', ['a'], async () => ok(String(made.push('b')))),
      check('c', ['b'], async () => ok(String(made.push('c')))),
      check('d', [], async () => ok('well')),
    ],
    null,
    quiet,
  )
  expect(results.map(({ level, text }) => [level, text])).toEqual([
    ['error', 'broken'],
    ['skipped', 'not looked at: a comes first'],
    ['skipped', 'not looked at: a comes first'],
    ['ok', 'well'],
  ])
  expect(made).toEqual([])
})

test('a warning blocks only where it says so, an error unless it says not', async () => {
  const results = await runChecks(
    [
      check('warned', [], async () => warning('x', 'y')),
      check('unasked', [], async () => unasked('x', 'y')),
      check('alone', [], async () => [ok('x'), badAlone('x', 'y')]),
      check('1', ['warned', 'alone'], async () => ok('made')),
      check('2', ['unasked'], async () => ok('made')),
    ],
    null,
    quiet,
  )
  expect(results.slice(-2).map(({ level }) => level)).toEqual(['ok', 'skipped'])
})

test('a check that throws is an error itself, and the others are made', async () => {
  const results = await runChecks(
    [check('a', [], () => Promise.reject(new Error('odd'))), check('b', [], async () => ok('well'))],
    null,
    quiet,
  )
  expect(results).toMatchObject([{ level: 'error', text: 'could not be looked at: odd' }, { level: 'ok' }])
})

test('the list has a sign, and the remedy on the next line; as JSON it says whether all is well', async () => {
  const results = await runChecks(
    [check('clock', [], async () => ok('agree')), check('tunnel', [], async () => bad('down', 'Start it.'))],
    null,
    quiet,
  )
  const [fine, broken] = results as [(typeof results)[0], (typeof results)[0]]
  expect(resultLine(fine, false)).toBe('✓ clock              agree')
  expect(resultLine(broken, false)).toBe('✗ tunnel             down\n                     → Start it.')
  expect(resultLine(broken, true)).toBe('\u001b[31m✗ tunnel             down\u001b[0m\n                     → Start it.')
  expect(sumLine(results)).toBe('1 well, 1 wrong.')
  expect(resultsJson('local', results)).toMatchObject({
    where: 'local',
    well: false,
    checks: [{ check: 'clock' }, { remedy: 'Start it.' }],
  })
})

test('what could not be seen for want of something is counted at the end', async () => {
  const b = check('b', ['api'], async () => ok('b'))
  const c = check('c', ['b'], async () => ok('c'))
  const results = await runChecks([check('api', [], async () => unasked('no token', 'Set one.')), b, c], null, quiet)
  expect(unseenLine(results)).toBe('Not all could be seen: 2 of 3 lines were not looked at, for want of: api.')
  expect(resultsJson('remote', results)).toMatchObject({ well: true, complete: false })
  const broken = await runChecks([check('api', [], async () => bad('down', 'Start it.')), b], null, quiet)
  expect(unseenLine(broken)).toBeNull()
})
