import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

test.each([
  ['module', ['acme', 'planning', 'on', '--limits', '5'], 'npm run module -- <organization slug>'],
  ['webhooks', ['replay', '--all'], 'npm run webhooks -- failed'],
  ['token', ['owner', '--organisation', 'acme'], 'Say whose token: owner, admin, member, operator'],
  ['token', ['constructor'], 'Say whose token: owner, admin, member, operator'],
])('npm run %s with %j says how it is used, and nothing else', async (command, words, usage) => {
  const failed = await run('npm', ['run', '--silent', command, '--', ...words]).catch((error) => error)
  expect([failed.code, failed.stdout]).toEqual([1, ''])
  expect(failed.stderr).toContain(usage)
  expect(failed.stderr).not.toMatch(/^ +at /m)
})
