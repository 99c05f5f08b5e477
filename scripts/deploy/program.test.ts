import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Stopped } from '../admin/context.ts'
import { readDeployment, writeDeployment } from '../cloudflare/deployment.ts'
import { runDeploy } from './program.ts'
import { ACCESS, HOSTNAME, type TestCloudflare, testCloudflare } from './testing.ts'

let t: TestCloudflare
/** Where deployment.json and the backups go. */
let directory: string
let questions: string[]

beforeAll(async () => {
  t = await testCloudflare('free')
})
afterAll(() => t.close())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'deploy-'))
  questions = []
  const { plan: _, ...unplanned } = t.deployment
  await writeDeployment(directory, unplanned)
})

interface Ran {
  code: number
  out: string
  err: string
}

const ACCESS_SECRETS = `CF_ACCESS_CLIENT_ID=${ACCESS.clientId}\nCF_ACCESS_CLIENT_SECRET=${ACCESS.clientSecret}\n`

/** A file of secrets, by its path. */
async function secretsFile(text = ACCESS_SECRETS): Promise<string> {
  const path = join(directory, 'secrets')
  await writeFile(path, text)
  return path
}

/** @param answers what a person says, in turn; none: nobody is there */
async function run(kind: 'deploy' | 'upgrade', args: string[], answers: (boolean | 'Ctrl-C')[] = []): Promise<Ran> {
  let out = ''
  let err = ''
  const ask = async (question: string) => {
    questions.push(question)
    const answer = answers.shift() ?? false
    if (answer === 'Ctrl-C') throw new Stopped('stopped: nothing was changed.')
    return answer
  }
  const io = {
    out: async (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    ask: answers.length === 0 ? null : ask,
    directory,
    environment: t.environment,
  }
  const code = await runDeploy(kind, args, io, directory)
  return { code, out, err }
}

test('what is missing is told, and nobody is asked who is not there', async () => {
  expect(await run('deploy', [])).toMatchObject({ code: 2, err: expect.stringMatching(/^error: --plan is missing: free or paid/) })
  expect(await run('deploy', ['--plan', 'gold'])).toMatchObject({ code: 2, err: expect.stringContaining('Allowed choices are free, paid') })
  expect(await run('deploy', ['--plan', 'free', '--secrets-file', await secretsFile()])).toMatchObject({
    code: 2,
    err: expect.stringContaining('--yes is missing'),
  })
  expect(await run('deploy', ['--plan', 'free', '--yes'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('The Worker has no CF_ACCESS_CLIENT_ID and no CF_ACCESS_CLIENT_SECRET, without which Access'),
  })
  const empty = await mkdtemp(join(tmpdir(), 'deploy-'))
  const io = {
    out: async () => {},
    err: (text: string) => void questions.push(text),
    ask: null,
    directory: empty,
    environment: t.environment,
  }
  expect(await runDeploy('deploy', [], io, empty)).toBe(1)
  expect(questions).toEqual(['error: There is no deployment.json here: run npm run setup first, which makes what a deploy needs.\n'])
})

test('a dry run shows what would be done, with the plan and why, and does nothing', async () => {
  const secrets = await secretsFile(`${ACCESS_SECRETS}OPENAI_API_KEY=sk-very-secret\n`)
  const before = t.cloudflare.calls.length
  const { code, out, err } = await run('deploy', ['--dry-run', '--plan', 'free', '--secrets-file', secrets])
  expect(code).toBe(0)
  expect(out).toMatch(/^Nothing was changed\. deploy would\n {2}apply 0001_ledger\.sql, /)
  expect(out).toContain('BODY_LIMIT_BYTES=1000000: a body costs about 6 ms of CPU a megabyte')
  expect(out).toContain('Secrets to set: CF_ACCESS_CLIENT_ID, CF_ACCESS_CLIENT_SECRET, OPENAI_API_KEY')
  expect(out + err).not.toContain('sk-very-secret')
  expect(t.cloudflare.calls.slice(before).filter(({ method, path }) => method !== 'GET' && !path.endsWith('/raw'))).toEqual([])
  expect((await readDeployment(directory))?.plan).toBeUndefined()
  const json = JSON.parse((await run('deploy', ['--dry-run', '--plan', 'free', '--json', '--secrets-file', secrets])).out)
  expect(json).toMatchObject({ dry_run: true, plan: 'free', limits: {}, running: null })
})

test('a paid plan on an account that is on the free one is refused with the remedy', async () => {
  const { code, err } = await run('deploy', ['--plan', 'paid', '--yes', '--secrets-file', await secretsFile()])
  expect(code).toBe(1)
  expect(err).toMatch(/This account is on the free plan: run it again with --plan free/)
  expect(err).toMatch(/Nothing runs yet: mend what is named, and run the same command again\.\n$/)
  expect((await readDeployment(directory))?.plan).toBeUndefined()
})

test('a no at the question is told from Ctrl-C', async () => {
  const args = ['--plan', 'free', '--secrets-file', await secretsFile()]
  expect(await run('deploy', args, [false])).toMatchObject({
    code: 1,
    err: expect.stringMatching(/\nerror: not confirmed: nothing was changed\.\n$/),
  })
  expect(await run('deploy', args, ['Ctrl-C'])).toMatchObject({
    code: 130,
    err: expect.stringMatching(/\nerror: stopped: nothing was changed\.\n$/),
  })
})

test('the plan is asked for once; the limits of the free one are in what is uploaded', async () => {
  const secrets = await secretsFile()
  const first = await run('deploy', ['--secrets-file', secrets], [false, true])
  expect(first).toMatchObject({
    code: 0,
    out: expect.stringContaining(`curl https://${HOSTNAME}/v1/models -H "authorization: Bearer $GATEWAY_KEY"`),
  })
  expect(first.out + first.err).not.toContain(ACCESS.clientSecret)
  expect(questions).toEqual([
    expect.stringMatching(/^Is the account on the Workers Paid plan\?/),
    expect.stringMatching(/^Deploy \d+\.\d+\.\d+ to https:\/\/api\.example\.com\?$/),
  ])
  expect((await readDeployment(directory))?.plan).toBe('free')
  const { version } = t.uploaded()
  expect(version.limits).toEqual({})
  expect(t.texts(version)).toMatchObject({
    BODY_LIMIT_BYTES: '1000000',
    CHECKPOINT_SECONDS: '30',
    KILL_CHECK_SECONDS: '30',
    LEDGER_GROUP_MAX: '6',
  })

  const second = await run('deploy', ['--json'], [true])
  expect(questions).toHaveLength(3)
  expect(JSON.parse(second.out)).toMatchObject({ plan: 'free', previous_version_id: version.id, box: 'ok', backup: null })
})

test('a no changes nothing', async () => {
  const { version } = t.uploaded()
  expect(await run('deploy', ['--plan', 'free'], [false])).toMatchObject({
    code: 1,
    err: expect.stringContaining('not confirmed: nothing was changed.'),
  })
  expect(t.uploaded().version.id).toBe(version.id)
})

test('an upgrade backs up first; where it fails it tells where the backup is', async () => {
  await t.admin('create-customer', 'Ada', 'ada@example.com', '--budget', '5')
  const upgraded = await run('upgrade', ['--plan', 'free', '--yes', '--json'])
  expect(upgraded.code).toBe(0)
  const { backup } = JSON.parse(upgraded.out) as { backup: string }
  expect(backup).toMatch(/^gateway-\d{4}-\d\d-\d\dT\d{6}Z\.jsonl\.gz$/)
  expect(gunzipSync(await readFile(join(directory, backup))).toString()).toContain('ada@example.com')

  t.edge.outage = () => 522
  const failed = await run('upgrade', ['--plan', 'free', '--yes', '--wait', '1', '--backup', 'mine.jsonl.gz'])
  t.edge.outage = null
  expect(failed.code).toBe(1)
  expect(failed.err).toMatch(/Back to the version before/)
  expect(failed.err).toMatch(
    /The backup of before is mine\.jsonl\.gz; docs\/backup\.md tells how it is restored, should that be needed\.\n$/,
  )
  expect(await run('upgrade', ['--plan', 'free', '--yes', '--backup', 'mine.jsonl.gz'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('--backup: mine.jsonl.gz exists'),
  })
  expect((await readdir(directory)).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('a secrets file is refused for what is no secret, by the name alone', async () => {
  const file = await secretsFile('HOST_CONCURRENCY=12345\n')
  const { code, err } = await run('deploy', ['--plan', 'free', '--yes', '--secrets-file', file])
  expect([code, err]).toEqual([2, expect.stringMatching(/^error: --secrets-file: HOST_CONCURRENCY is no secret of the Worker/)])
  expect(err).not.toContain('12345')
  expect((await run('deploy', ['--plan', 'free', '--secrets-file', 'nowhere'])).err).toBe(
    'error: --secrets-file: nowhere cannot be read (ENOENT).\n',
  )
  await secretsFile('CF_ACCESS_CLIENT_ID=one\n')
  expect((await run('deploy', ['--plan', 'free', '--secrets-file', file])).err).toMatch(/belong together/)
})
