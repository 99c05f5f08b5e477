import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { commandLine, type Options, readOptions } from './options.ts'

function read(...args: string[]): { options: Options | null; out: string; err: string } {
  let out = ''
  let err = ''
  try {
    const options = readOptions(
      args,
      (text) => {
        out += text
      },
      (text) => {
        err += text
      },
      '/where/it/was/called',
    )
    return { options, out, err }
  } catch {
    return { options: null, out, err }
  }
}

test('without options all is measured in five rounds, and the page is written', () => {
  expect(read().options).toEqual({
    quick: false,
    rounds: 5,
    only: ['load', 'paced', 'paid', 'memory', 'scale', 'reports', 'rows', 'size', 'start'],
    peer: null,
    hostPort: 0,
    stateDir: tmpdir(),
    json: false,
    write: true,
  })
})

test('a quick run and a partial one leave the page alone, unless they are told to write it', () => {
  const write = (...args: string[]) => read(...args).options?.write
  expect([write('--quick'), write('--only', 'size'), write('--no-write'), write('--quick', '--write')]).toEqual([false, false, false, true])
})

test('sections are measured in one order, however they are named', () => {
  expect(read('--only', 'size,load,size').options?.only).toEqual(['load', 'size'])
})

test('a peer is an address with headers, a model and processes', () => {
  const args = [
    '--against',
    'http://127.0.0.1:4000/',
    '--header',
    'Authorization: Bearer a:b',
    '--header',
    'x-team: 7',
    '--pid',
    '12',
    '--pid',
    '13',
  ]
  expect(read(...args, '--model', 'm').options?.peer).toEqual({
    base: 'http://127.0.0.1:4000',
    headers: { authorization: 'Bearer a:b', 'x-team': '7' },
    model: 'm',
    pids: [12, 13],
  })
})

test('relative paths are relative to where it was called', () => {
  expect(read('--state-dir', 'ram').options?.stateDir).toBe('/where/it/was/called/ram')
})

test.each([
  [['--rouns', '3'], '--rouns'],
  [['--rounds', 'many'], '--rounds'],
  [['--rounds', '0'], '--rounds'],
  [['--rounds'], '--rounds'],
  [['--only', 'load,speed'], '"speed" is none of load, paced, paid, memory, scale, reports, rows, size, start'],
  [['--against', '127.0.0.1:4000'], '--against'],
  [['--against', 'ftp://127.0.0.1'], '--against'],
  [['--against', 'http://127.0.0.1:4000', '--header', 'Bearer x'], '--header'],
  [['--header', 'x-team: 7'], "option '--header' needs '--against <url>'"],
  [['--model', 'm'], "option '--model' needs '--against <url>'"],
  [['--pid', '1'], "option '--pid' needs '--against <url>'"],
  [['--host-port', '65536'], '--host-port'],
  [['fast'], 'argument'],
])('%j is refused by its name', (args, said) => {
  const { options, err } = read(...args)
  expect(options).toBeNull()
  expect(err).toMatch(/^error: /)
  expect(err).toContain(said)
})

test('help names every option', () => {
  const { options, out, err } = read('--help')
  expect([options, err]).toEqual([null, ''])
  for (const name of [
    'quick',
    'rounds',
    'only',
    'against',
    'header',
    'model',
    'pid',
    'host-port',
    'state-dir',
    'json',
    'write',
    'no-write',
  ])
    expect(out).toContain(`--${name}`)
})

test('the command that is published has no key, address or path in it', () => {
  const line = (...args: string[]) => {
    const { options } = read(...args)
    return options === null ? null : commandLine(options)
  }
  expect(line()).toBe('npm run bench')
  expect(line('--quick', '--rounds', '3', '--only', 'size')).toBe('npm run bench -- --quick --rounds 3 --only size')
  const peer = ['--against', 'http://box.example', '--header', 'authorization: Bearer secret', '--state-dir', '/home/me', '--pid', '4']
  expect(line(...peer)).toBe('npm run bench -- --against URL')
})
