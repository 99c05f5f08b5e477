import { expect, test } from 'vitest'
import { explain } from './explain.ts'
import { SettingError } from './settings.ts'

const at = { host: '127.0.0.1', port: 8787 }
const listenError = (code: string) => Object.assign(new Error(code), { syscall: 'listen', code })

test('a wrong setting ends with 2, as wrong usage does', () => {
  expect(explain(new SettingError('PORT=x: it has to be a whole number.'), at)).toEqual({
    message: 'PORT=x: it has to be a whole number.',
    exitCode: 2,
  })
})

test('a port that is taken is named, with the way out', () => {
  expect(explain(listenError('EADDRINUSE'), at)).toEqual({
    message: 'Port 8787 is in use. Choose another: PORT=8788 npm start',
    exitCode: 1,
  })
})

test('an address that cannot be listened on is named', () => {
  expect(explain(listenError('EADDRNOTAVAIL'), { host: '10.0.0.1', port: 80 }).message).toBe(
    'HOST=10.0.0.1 PORT=80: cannot listen there (EADDRNOTAVAIL).',
  )
})

test('a fault of ours comes with its stack', () => {
  expect(explain(new Error('oops'), at).message).toContain('explain.test.ts')
})
