import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { Organization } from '../../entities/index.ts'
import { embedded, onDatabase, serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { database, ending } = await openWorld()

const directory = await mkdtemp(join(tmpdir(), 'starting-'))
const file = join(directory, 'file')
await writeFile(file, '')
const other = createServer().listen(0, '127.0.0.1')
await once(other, 'listening')
const { port } = other.address() as AddressInfo
ending.unshift(async () => {
  other.close()
  await rm(directory, { recursive: true })
})

test('the demo exists before the first request is answered', async () => {
  const own = { AUTH_ISSUER: '', AUTH_AUDIENCE: '', AUTH_JWKS_URL: '' }
  const service = new ServerProcess({ ...serverEnvironment('starting'), ...own })
  ending.unshift(() => service.close())
  expect(await database.manager.countBy(Organization, { demo: true })).toBe(0)
  await service.start()
  expect(await database.manager.countBy(Organization, { demo: true })).toBe(2)
})

test('a second start takes less than 2 s of CPU time', async () => {
  if (process.platform !== 'linux') return console.warn('The CPU time of a process is read from /proc.')
  const seconds: number[] = []
  // A busy machine slows some starts down, so the shortest of three counts.
  while (seconds.length < 3 && !(Math.min(...seconds) < 2)) {
    const server = new ServerProcess(serverEnvironment('starting'))
    ending.unshift(() => server.close())
    await server.start()
    const fields = (await readFile(`/proc/${server.pid}/stat`, 'utf8')).split(' ')
    // Linux counts user and system time in ticks of 10 ms.
    seconds.push((Number(fields[13]) + Number(fields[14])) / 100)
    await server.close()
  }
  expect(Math.min(...seconds)).toBeLessThan(2)
})

test('no bundled library looks for files beside itself, but parts that the server does not use', async () => {
  const found = new Set<string>()
  for (const name of (await readdir('dist/bundle')).filter((name) => name.endsWith('.js'))) {
    let module = ''
    for (const line of (await readFile(join('dist/bundle', name), 'utf8')).split('\n')) {
      module = /^(?:\/\/ | +")((?:node_modules|dist)\/[^"]+)/.exec(line)?.[1] ?? module
      if (module.startsWith('node_modules') && /\b(?:__dirname|__filename|import\.meta)\b/.test(line)) found.add(module)
    }
  }
  // The server uses no transport of pino, and no configuration file of graphile-worker.
  const unused = ['import-fresh/index.js', 'pino/lib/transport.js', 'thread-stream/index.js']
  expect([...found].sort()).toEqual(unused.map((name) => `node_modules/${name}`))
})

test('a signal before the demo has subscribed stops the server without a warning', async () => {
  const ofDemo = `"organizationId" IN (SELECT "id" FROM "organization" WHERE "demo")`
  await database.query(`UPDATE "subscription" SET "status" = 'canceled' WHERE ${ofDemo}`)
  await database.query(`DELETE FROM "subscription" WHERE ${ofDemo}`)
  await database.query(`UPDATE "organization" SET "manualBilling" = false WHERE "demo"`)
  const unset = Object.fromEntries(
    Object.keys(serverEnvironment('starting')).flatMap((name) => (/^(AUTH|STRIPE)_/.test(name) ? [[name, '']] : [])),
  )
  const child = spawn(process.execPath, ['dist/bundle/server.js'], {
    env: { PATH: process.env.PATH, ...serverEnvironment('starting'), ...unset, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const lines: { level: number; msg: string }[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(JSON.parse(line))
    if (line.includes('Listening')) child.kill('SIGTERM')
  }
  expect(lines.map(({ msg }) => msg)).toContainEqual(expect.stringMatching(/^Listening/))
  expect(lines.filter(({ level }) => level > 30)).toEqual([])
  expect(await exit).toEqual([0, null])
})

const { DATABASE_URL: serverUrl, DATABASE_OWNER_URL: ownUrl = serverUrl } = serverEnvironment('starting')
const [, host] = ownUrl.split('?host=')
const development = { NODE_ENV: 'development' }
const [lacking, refusing] = [
  `postgres://postgres@localhost/none?host=${host}`,
  ownUrl.replace('postgres@', 'none:hidden@'),
]

/*
 * A value of a variable that names an address or a folder can be valid and yet unusable. The start fails in the same way for
 * several processes, for production and for commands.
 */
test.each<[string, Record<string, string>, string]>([
  [
    'the port is taken',
    { PORT: String(port) },
    `PORT ${port} is in use on 127.0.0.1. Set PORT to another, or stop the process that listens there.`,
  ],
  [
    'the port is taken for several processes',
    { PORT: String(port), WORKERS: '2' },
    `PORT ${port} is in use on 127.0.0.1. Set PORT to another, or stop the process that listens there.`,
  ],
  [
    'the host is not of this machine',
    { ...development, HOST: '192.0.2.1' },
    'HOST "192.0.2.1" is not an address of this machine. Set HOST to one that is, such as 127.0.0.1.',
  ],
  [
    'the host has no address',
    { ...development, HOST: 'nowhere.invalid' },
    'HOST "nowhere.invalid" cannot be resolved. Set HOST to an address of this machine, such as 127.0.0.1.',
  ],
  [
    'no database answers',
    onDatabase('postgres://u:hidden@127.0.0.1:1/none'),
    'DATABASE_URL is "postgres://***@127.0.0.1:1/none", which cannot be used: connect ECONNREFUSED 127.0.0.1:1. Correct it, or make that database accept connections.',
  ],
  [
    'the database does not exist',
    onDatabase(lacking),
    'which cannot be used: database "none" does not exist. Correct it,',
  ],
  [
    'the database refuses the user',
    onDatabase(refusing),
    'which cannot be used: role "none" does not exist. Correct it,',
  ],
  [
    'the data directory is a file',
    { ...embedded, DATA_DIR: file },
    `DATA_DIR is "${file}", which is not writable: not a directory. Set another DATA_DIR.`,
  ],
  [
    'the data directory cannot be made',
    { DATA_DIR: '/dev/null/x' },
    'DATA_DIR is "/dev/null/x", which is not writable: not a directory. Set another DATA_DIR.',
  ],
  [
    'the data directory is of the kernel',
    { DATA_DIR: '/proc/x/y' },
    'DATA_DIR is "/proc/x/y", which is not writable: no such file or directory. Set another DATA_DIR.',
  ],
  [
    'the data directory is in /sys',
    { ...embedded, DATA_DIR: '/sys/x' },
    'DATA_DIR is "/sys/x", which is not writable: ',
  ],
  [
    'the path of the data directory is too long',
    { DATA_DIR: `/tmp/${'x'.repeat(5000)}` },
    '(5005 characters)", which is not writable: name too long. Set another DATA_DIR.',
  ],
  [
    'the path is too long for Postgres',
    { ...embedded, DATA_DIR: join(directory, ...Array(5).fill('x'.repeat(200))) },
    'which is too long for Postgres. Set a path of at most 900 bytes.',
  ],
  [
    'there is no Postgres in PGBIN',
    { ...embedded, PGBIN: '/nowhere' },
    'PGBIN is "/nowhere", which holds no "initdb" and "postgres" that run here. Correct PGBIN, or set DATABASE_URL.',
  ],
  [
    'the settings are bad',
    { PORT: 'http', STRIPE_URL: 'nope' },
    'PORT must be a whole number from 0 to 65535, not "http".\nSTRIPE_URL must be a URL that starts with http:// or https://,',
  ],
])('the start fails with a sentence where %s', async (_, environment, sentence) => {
  expect(await failedStart({ PORT: '0', ...serverEnvironment('starting'), ...environment })).toEqual({
    code: 1,
    log: '',
    error: expect.stringContaining(sentence),
  })
})

test('the start fails with a sentence where the user may not listen on port 80', async () => {
  const lowest = Number(await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '1024'))
  const root = process.getuid?.() === 0
  if (lowest <= 80) return console.warn('Every user may listen on port 80 here.')
  const DATA_DIR = await mkdtemp(join(tmpdir(), 'low-port-'))
  if (root) await chown(DATA_DIR, 65534, 65534)
  const environment = { ...serverEnvironment('starting'), DATA_DIR, PORT: '80' }
  const { code, error } = await failedStart(environment, root ? { uid: 65534, gid: 65534 } : {})
  expect([code, error]).toEqual([1, 'PORT 80 needs rights that this user lacks. Set PORT to 1024 or more.\n'])
  await rm(DATA_DIR, { recursive: true })
})

test('the start fails with a sentence where a key file is damaged', async () => {
  const own = { AUTH_ISSUER: '', AUTH_AUDIENCE: '', AUTH_JWKS_URL: '' }
  for (const name of ['token-key.json', 'secrets.key', 'kontomatik.json'])
    for (const text of ['', '{"kty":']) {
      if (name === 'kontomatik.json' && !text) continue
      const environment: Record<string, string> = { ...serverEnvironment('starting'), ...own, PORT: '0' }
      await mkdir(environment.DATA_DIR)
      await writeFile(join(environment.DATA_DIR, name), text)
      const { code, error } = await failedStart(environment)
      expect([code, error]).toEqual([
        1,
        expect.stringMatching(
          new RegExp(
            `^(The Kontomatik emulator cannot start: )?\\S+/${name} (must hold a key|holds no key|is not a journal).+\\.\n$`,
          ),
        ),
      ])
    }
})

/** Runs a server that fails to start. @returns its exit code and its output */
async function failedStart(environment: Record<string, string>, user: { uid?: number; gid?: number } = {}) {
  const child = spawn(process.execPath, ['dist/bundle/server.js'], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  })
  const [log, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  expect(error).not.toMatch(/hidden|^\s+at |^{/m)
  return { code, log, error }
}
