import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Agent, agentsOf } from '../support/agents.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

/*
 * During a rolling upgrade the former release serves on the schema of the new one. CONTRIBUTING.md says how a release is pinned here.
 */
const trafficMs = 60_000
const pauseMs = 300

const { api, ending, issuer, tenant } = await openWorld()

const sums = readFileSync('test/releases/SHA256SUMS', 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('  '))

test('the pinned builds are those of their checksums', () => {
  const files = readdirSync('test/releases').filter((name) => name.endsWith('.tar.gz'))
  expect(sums.map(([, file]) => file)).toEqual(files)
  for (const [digest, file] of sums)
    expect(
      createHash('sha256')
        .update(readFileSync(`test/releases/${file}`))
        .digest('hex'),
    ).toBe(digest)
})

test.each(sums.map(([, file]) => file))(
  'the release %s serves a minute of traffic on the schema of today, beside the code of today, without an error',
  async (file) => {
    const former = await serve(file)
    const old = agentsOf(`http://127.0.0.1:${former.port}`, issuer).as(tenant.users.owner)
    const paths = await collections(old)
    expect(paths.length).toBeGreaterThan(10)
    await old.post('/organization-user-invitations', { email: 'ada@example.com' }).expect(201)
    let rounds = 0
    for (const end = Date.now() + trafficMs; Date.now() < end; await sleep(pauseMs)) {
      const path = paths[rounds++ % paths.length]
      await read(old, path)
      await write(old, api, rounds)
      await write(api, old, rounds)
    }
    expect(rounds).toBeGreaterThan(paths.length)
    expect(former.output.join('')).toBe('')
    expect(former.unexpectedExits).toBe(0)
  },
  trafficMs + 120_000,
)

/** Starts a pinned build. Its native libraries are those of this project. */
async function serve(file: string): Promise<ServerProcess> {
  mkdirSync('dist', { recursive: true })
  const folder = mkdtempSync('dist/pinned-')
  execFileSync('tar', ['--extract', `--file=test/releases/${file}`, `--directory=${folder}`])
  // A release that names no organizations connects as the owner, for whom row-level security does not hold.
  const { DATABASE_OWNER_URL: owner, ...environment } = serverEnvironment('former')
  const own = { ...environment, DATABASE_URL: owner ?? environment.DATABASE_URL }
  const former = new ServerProcess(own, false, join(folder, 'dist/src/server.js'))
  ending.unshift(async () => {
    await former.close()
    rmSync(folder, { recursive: true })
  })
  await former.start()
  return former
}

/** The paths of the collections that the entrypoint names. */
async function collections(by: Agent): Promise<string[]> {
  const { body } = await by.get('/').expect(200)
  return Object.values(body).filter((value): value is string => typeof value === 'string' && /^\/[a-z-]+$/.test(value))
}

async function read(by: Agent, path: string): Promise<void> {
  const { body } = await by.get(path).expect(200)
  await by.get(`${path}.csv`).expect(200)
  const [first] = body['hydra:member'] ?? body.member
  if (first) await by.get(first['@id']).expect(200)
}

/** One server creates and changes rows, which the other reads and changes. */
async function write(by: Agent, other: Agent, round: number): Promise<void> {
  const { body: employee } = await by.post('/employees', { name: `Ada ${round}` }).expect(201)
  const { body: location } = await by.post('/locations', { name: `Delft ${employee['@id']}` }).expect(201)
  const window = { dateFrom: '2026-04-01T08:00:00Z', dateTo: '2026-04-01T10:00:00Z' }
  const { body: meeting } = await by.post('/meetings', { employee: employee['@id'], ...window }).expect(201)
  await by.patch(location['@id'], { name: `Gouda ${employee['@id']}` }).expect(200)

  const { body: seen, headers } = await other.get(location['@id']).expect(200)
  expect(seen).toMatchObject({ name: `Gouda ${employee['@id']}` })
  await other
    .patch(seen['@id'], { name: `Leiden ${employee['@id']}` })
    .set('If-Match', headers.etag)
    .expect(200)
  await by.get(location['@id']).set('If-None-Match', headers.etag).expect(200)
  await other.patch(meeting['@id'], { notes: 'Ring twice' }).expect(200)
  expect((await by.get(meeting['@id']).expect(200)).body.notes).toBe('Ring twice')
}
