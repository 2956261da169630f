import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** No command may print a stack: all of them read the same variables and open the same database. */
test.each(['token', 'migrate', 'seed', 'module', 'webhooks'])(
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
