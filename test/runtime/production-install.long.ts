import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../support/processes/free-port.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { openWorld } from '../support/world.ts'

const { ending } = await openWorld()

/*
 * Every command of package.json could need a development dependency, which a production install lacks. The packages here are
 * links to those of `npm ci --omit=dev`.
 */
const run = promisify(execFile)
const root = await realpath('.')
const folder = await mkdtemp(join(tmpdir(), 'install-'))
const { stdout: listed } = await run('npm', ['ls', '--omit=dev', '--all', '--parseable']).catch((error) => error)
const own = { AUTH_ISSUER: '', AUTH_AUDIENCE: '', AUTH_JWKS_URL: '' }
const environment = { ...serverEnvironment('install'), ...own, HOME: process.env.HOME ?? '' }
const env = { PATH: process.env.PATH, ...environment }

ending.unshift(() => rm(folder, { recursive: true }))

beforeAll(async () => {
  for (const name of [
    'src',
    'entities',
    'contexts',
    'ormconfig.ts',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ])
    await cp(join(root, name), join(folder, name), { recursive: true })
  const packages = listed.split('\n').map((path: string) => relative(root, path))
  for (const path of packages.filter((path: string) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path))) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await symlink(join(root, path), join(folder, path))
  }
})

const npm = (...args: string[]) => run('npm', ['--silent', ...args], { cwd: folder, env }).catch((error) => error)

test.each([['start'], ['run', 'token', '--', 'owner'], ['run', 'migrate'], ['run', 'build']])(
  'npm %s %s without a build and a compiler prints how to get one',
  async (...args) => {
    const { code, stdout, stderr } = await npm(...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^(No build exists|The compiler, a development dependency, is not installed)\b.+ Run "npm ci --include=dev && npm run build", then .+\.\n$/,
    )
  },
)

test('with a build every command works, and the server starts and stops with npm', async () => {
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  expect((await npm('run', 'migrate')).stdout).toBe('')
  expect((await npm('run', 'seed')).stdout).toBe('Created the demo organizations.\n')
  expect((await npm('run', 'token', '--', 'owner')).stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  expect((await npm('run', 'module', '--', 'van-dijk', 'planning', 'on')).stdout).toMatch(/^van-dijk planning: on/)
  expect((await npm('run', 'webhooks', '--', 'failed')).stdout).toBe('No event is dead-lettered.\n')

  const started = await start()
  expect(started.output).not.toContain('older than the sources')
  await started.end()
})

test('a build that is older than the sources starts with a warning', async () => {
  await appendFile(join(folder, 'src/server.ts'), '\n// A change.\n')
  const { stdout, stderr } = await npm('run', 'token', '--', 'owner')
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  expect(stderr).toMatch(/^The build in dist is older than the sources and starts as it is\. Run .+\.\n$/)
})

test('with a compiler npm start builds once, and again only after a source has changed', async () => {
  await rm(join(folder, 'node_modules'), { recursive: true })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const built = async () => (await stat(join(folder, 'dist/bundle/server.js'))).mtimeMs
  const copied = await built()
  const [recent, former] = ['chunk-RECENT.js', 'chunk-FORMER.js'].map((name) => join(folder, 'dist/bundle', name))
  for (const file of [recent, former]) await writeFile(file, '')
  const days = (count: number) => Date.now() / 1000 - count * 24 * 3600
  await utimes(recent, days(6), days(6))
  await utimes(former, days(8), days(8))
  expect((await npm('run', 'token', '--', 'owner')).stderr).toBe('')
  const first = await built()
  expect(first).toBeGreaterThan(copied)
  // A running server may load a chunk of its build later.
  await stat(recent)
  await expect(stat(former)).rejects.toThrow('ENOENT')
  await npm('run', 'token', '--', 'owner')
  expect(await built()).toBe(first)
  await appendFile(join(folder, 'entities/index.ts'), '\n')
  await npm('run', 'token', '--', 'owner')
  expect(await built()).toBeGreaterThan(first)
  expect(await readdir(join(folder, 'dist/contexts'))).toEqual(await readdir(join(folder, 'contexts')))
}, 180_000)

/** Starts the server with `npm start`. `end` stops it by a signal to npm. */
async function start() {
  const port = await freePort()
  const child = spawn('npm', ['start', '--silent'], {
    cwd: folder,
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => output.push(String(text)))
  for (let tries = 0; !output.join('').includes('Listening'); tries++) {
    if (tries > 600 || child.exitCode !== null) throw new Error(`The server does not serve: ${output.join('')}`)
    await sleep(100)
  }
  return {
    output: output.join(''),
    async end() {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
      await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow()
    },
  }
}
