import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import request from 'supertest'
import { localIssuer, ownIssuer } from '../../src/access/token-issuer-keys.ts'
import { people } from '../../src/demo/demo.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/processes/free-port.ts'
import { embedded, serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { ending } = await openWorld()

/*
 * A full disk must neither end the server nor lose acknowledged writes. These are the local Stripe's journal, the local
 * Kontomatik's state, mails in files, Postgres's data and the log.
 */

/** Mounts a small disk; undefined where that is not allowed. */
async function mountDisk(megabytes: number): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'full-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    await rm(directory, { recursive: true })
    return undefined
  }
  ending.push(async () => {
    const [pid] = (await readFile(join(directory, 'postgres-18/postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    if (pid) process.kill(Number(pid), 'SIGKILL')
    execFileSync('umount', ['-l', directory])
    await rm(directory, { recursive: true })
  })
  return directory
}

function fill(directory: string): void {
  const { bavail, bsize } = statfsSync(directory)
  try {
    writeFileSync(join(directory, 'filler'), Buffer.alloc(bavail * bsize + 1))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

const free = (directory: string) => rmSync(join(directory, 'filler'))

const own = { AUTH_ISSUER: '', AUTH_AUDIENCE: '', AUTH_JWKS_URL: '' }
const noStripe = { STRIPE_URL: '', STRIPE_SECRET_KEY: '', STRIPE_PUBLISHABLE_KEY: '', STRIPE_WEBHOOK_SECRET: '' }

function serverOn(DATA_DIR: string, variables: Record<string, string>): ServerProcess {
  const service = new ServerProcess({
    ...serverEnvironment('full'),
    ...own,
    ...noStripe,
    DATA_DIR,
    LOG_LEVEL: 'info',
    ...variables,
  })
  ending.unshift(() => service.close())
  return service
}

/** Returns a function that sends requests as the owner of the demo. */
async function senderFor(service: ServerProcess, directory: string) {
  const { sign } = await ownIssuer(localIssuer, directory)
  const token = await sign({ sub: people.owner.subject })
  const send = (method: 'get' | 'post' | 'delete', path: string, body?: object) =>
    request(`http://127.0.0.1:${service.port}`)[method](path).set('Authorization', `Bearer ${token}`).send(body)
  return send
}

const [small, large] = [await mountDisk(2), await mountDisk(220)]
const onDisk = small && large ? test : test.skip

onDisk(
  'while the disk of the data directory is full, writes get 503, and no acknowledged write is lost',
  async () => {
    const directory = small as string
    const service = serverOn(directory, {})
    await service.start()
    const { pid } = service
    const send = await senderFor(service, directory)
    await eventually(
      () => service.output.join(''),
      (output) => expect(output).toContain('Token for the operator'),
      60,
    )
    // The demo subscribes after the start. An event of its subscription turns the module on.
    await eventually(
      () => send('get', '/organization-modules?name=banking&enabled=true'),
      ({ body }) => expect(body.totalItems).toBe(1),
      60,
    )
    const setup = { redirectUri: 'http://127.0.0.1:3000/', country: 'pl' }
    const pay = { externalId: 'pm_card_visa' }

    fill(directory)
    for (const [path, body] of [
      ['/payment-methods', pay],
      ['/payment-methods/setup', {}],
      ['/integrations/kontomatik/setup', setup],
      ['/payment-methods', pay],
    ] as const) {
      // The last page of a file has room left.
      let { status, headers } = await send('post', path, body)
      for (let tries = 0; tries < 20 && status === 201; tries++) ({ status, headers } = await send('post', path, body))
      expect([path, status, Number(headers['retry-after']) > 0]).toEqual([path, 503, true])
    }
    const invited = await send('post', '/organization-user-invitations', { email: 'mia@example.com', role: 'member' })
    expect(invited.status).toBe(201)
    expect((await send('get', '/payment-methods')).status).toBe(200)
    expect((await send('get', '/health/live')).status).toBe(200)
    const before = (await send('get', '/payment-methods')).body.totalItems

    free(directory)
    const response = await send('post', '/payment-methods', pay)
    expect(response.status).toBe(201)
    expect((await send('post', '/integrations/kontomatik/setup', setup)).status).toBe(201)
    await eventually(
      async () => (await readdir(join(directory, 'mail')).catch(() => [])).filter((name) => name.endsWith('.eml')),
      (mails) => expect(mails).toHaveLength(1),
      // A job that failed several times pauses for longer.
      60,
    )
    const [mail] = await readdir(join(directory, 'mail'))
    expect(await readFile(join(directory, 'mail', mail), 'utf8')).toMatch(/mia@example\.com(.|\r\n)+--\r\n$/)
    expect(service.pid).toBe(pid)

    await service.kill()
    await service.start()
    expect((await send('get', '/payment-methods')).body.totalItems).toBe(before + 1)
    expect((await send('delete', response.body['@id'])).status).toBe(204)
  },
  120_000,
)

onDisk('while the disk of Postgres is full, writes answer 503, and it goes on when there is room', async () => {
  const directory = large as string
  const service = serverOn(directory, { ...embedded })
  await service.start()
  const { pid } = service
  const send = await senderFor(service, directory)
  fill(directory)
  const statuses = new Set<number>()
  const kept: string[] = []
  const refusals: [wait: string, detail: string][] = []
  for (let number = 0; number < 400 && refusals.length === 0; number++) {
    const { status, headers, body } = await send('post', '/locations', { name: `Office ${number} ${'x'.repeat(200)}` })
    statuses.add(status)
    if (status === 201) kept.push(body['@id'])
    else refusals.push([headers['retry-after'], body.detail])
  }
  expect([...statuses].filter((status) => status >= 500)).toEqual([503])
  // Postgres ends itself when its log of writes finds no room, and is started again.
  expect(refusals).toEqual([
    [expect.stringMatching(/^\d+$/), expect.stringMatching(/^The (disk of the )?database (is full|cannot be reached)/)],
  ])

  free(directory)
  await eventually(
    async () => (await send('post', '/locations', { name: 'Room again' })).status,
    (status) => expect(status).toBe(201),
  )
  for (const path of kept.slice(-20)) expect((await send('get', path)).status).toBe(200)
  expect(service.pid).toBe(pid)
})

test('a log that cannot be written, to a full disk or a closed pipe, ends nothing', async () => {
  for (const target of ['/dev/full', undefined]) {
    const log = await logging(target ? openSync(target, 'w') : 'pipe')
    log.child.stdout?.destroy()
    for (let count = 0; count < 20; count++) expect((await fetch(log.url)).status).toBe(200)
    await log.end()
  }
})

onDisk('lines of the log that found no room are written once there is some', async () => {
  const directory = small as string
  const file = join(directory, 'log')
  const log = await logging(openSync(file, 'a'))
  fill(directory)
  for (let count = 0; count < 100; count++) await fetch(log.url)
  free(directory)
  await fetch(log.url)
  await log.end()
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line)).filter(({ path }) => path === '/countries').length).toBeGreaterThan(100)
})

async function logging(stdout: number | 'pipe') {
  const port = await freePort()
  const child = spawn(process.execPath, ['dist/bundle/server.js'], {
    env: { PATH: process.env.PATH, ...serverEnvironment('full'), PORT: String(port) },
    stdio: ['ignore', stdout, 'inherit'],
  })
  ending.unshift(async () => {
    child.kill('SIGKILL')
  })
  const url = `http://127.0.0.1:${port}/countries`
  await eventually(
    () => fetch(url).then(({ status }) => status),
    (status) => expect(status).toBe(200),
    30,
  )
  return {
    url,
    child,
    async end() {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      expect(await gone).toEqual([0, null])
    },
  }
}
