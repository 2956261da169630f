import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { nameCollation } from '../../entities/collation.ts'
import { launch } from '../../src/postgres/launcher.ts'

const run = promisify(execFile)

/** No command may print a stack: all of them read the same variables and open the same database. */
test.each(['token', 'migrate', 'seed', 'module', 'webhooks', 'reindex'])(
  'npm run %s prints a sentence for each invalid variable',
  async (command) => {
    const args = { token: ['owner'], module: ['acme', 'planning', 'on'], webhooks: ['failed'] }[command] ?? []
    const failures: [Record<string, string>, RegExp][] = [
      [{ PORT: 'http', LOG_LEVEL: 'loud' }, /^PORT must .+\.\nLOG_LEVEL must .+\.\n$/],
      [{ DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/none' }, /^DATABASE_URL is "postgres:\/\/\*\*\*@127.+\.\n$/],
      [{ DATA_DIR: '/dev/null/x' }, /^DATA_DIR is "\/dev\/null\/x", which is not writable: .+\.\n$/],
    ]
    for (const [environment, sentence] of failures) {
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment }
      const failed = await run('npm', ['run', '--silent', command, '--', ...args], { env }).catch((error) => error)
      expect([failed.code, failed.stdout, failed.stderr]).toEqual([1, '', expect.stringMatching(sentence)])
    }
  },
)

test.each([
  ['module', ['acme', 'planning', 'on', '--limits', '5'], 'npm run module -- <organization slug>'],
  ['webhooks', ['replay', '--all'], 'npm run webhooks -- failed'],
  [
    'token',
    ['owner', '--organisation', 'acme'],
    'npm run token -- <owner|admin|member|operator> [--organization <slug>]',
  ],
  ['token', ['constructor'], 'npm run token -- <owner|admin|member|operator> [--organization <slug>]'],
])('npm run %s with %j prints its usage and nothing else', async (command, args, usage) => {
  const failed = await run('npm', ['run', '--silent', command, '--', ...args]).catch((error) => error)
  expect([failed.code, failed.stdout]).toEqual([1, ''])
  expect(failed.stderr).toContain(usage)
  expect(failed.stderr).not.toMatch(/^ +at /m)
})

test('npm run reindex rebuilds the indexes of an embedded Postgres whose ICU has another version', async () => {
  const DATA_DIR = await mkdtemp(join(tmpdir(), 'reindex-'))
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR }
  const npm = (command: string) => run('npm', ['run', '--silent', command], { env })
  await npm('migrate')
  const { host, port, user, database, directory, stop } = await launch(DATA_DIR)
  const client = new Client({ host, port, user, database })
  await client.connect()
  await client.query(`UPDATE pg_collation SET "collversion" = '1.2' WHERE "collname" = $1`, [nameCollation])
  await client.end()
  await stop()

  const refused = await npm('migrate').catch((error) => error)
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('Run "npm run reindex"')])
  const rebuilt = ['bank_account', 'employee', 'location', 'organization'].map(
    (table) => `REINDEX INDEX "${table}.name";`,
  )
  const { stdout } = await npm('reindex')
  expect(stdout.split('\n')).toEqual([...rebuilt, `ALTER COLLATION "${nameCollation}" REFRESH VERSION;`, ''])
  await npm('migrate')
  for (const folder of [DATA_DIR, dirname(directory)]) await rm(folder, { recursive: true, force: true })
})
