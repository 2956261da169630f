import { access, chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { launch, type Postgres } from '../../src/postgres/launcher.ts'

const directories: string[] = []
const launched: Postgres[] = []

/** A new directory. Root's tests run Postgres as another account, which can enter it. */
async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'postgres-test-'))
  directories.push(directory)
  await chmod(directory, 0o755)
  return directory
}

async function start(directory: string): Promise<Postgres> {
  const postgres = await launch(directory)
  launched.push(postgres)
  return postgres
}

async function connect({ host, port, user, database }: Postgres): Promise<Client> {
  const client = new Client({ host, port, user, database })
  client.on('error', () => {})
  await client.connect()
  return client
}

async function query(postgres: Postgres, sql: string): Promise<unknown[]> {
  const client = await connect(postgres)
  const { rows } = await client.query({ text: sql, rowMode: 'array' })
  await client.end()
  return rows.flat()
}

async function running({ directory }: Postgres): Promise<boolean> {
  return access(join(directory, 'postmaster.pid')).then(
    () => true,
    () => false,
  )
}

async function processOf({ directory }: Postgres): Promise<number> {
  return Number.parseInt(await readFile(join(directory, 'postmaster.pid'), 'utf8'), 10)
}

afterEach(async () => {
  for (const postgres of launched.splice(0)) await postgres.stop()
})

afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true })
})

/** A directory for tests that need no new one, because creating a cluster takes longer than the rest. */
const shared = newDirectory()

test('it starts on a new directory, in UTC, with letters beyond ASCII, and without a port', async () => {
  const postgres = await start(await newDirectory())

  expect(await query(postgres, `select current_database(), current_setting('timezone'), lower('ŁÓDŹ')`)).toEqual([
    'organization',
    'UTC',
    'łódź',
  ])
  expect(await query(postgres, 'show listen_addresses')).toEqual([''])
})

test('its data survive a stop and another launch', async () => {
  const directory = await shared
  const first = await start(directory)
  await query(first, 'create table kept as select 42 as answer')
  await first.stop()
  expect(await running(first)).toBe(false)

  const second = await start(directory)

  expect(await query(second, 'select answer from kept')).toEqual([42])
})

test('two launches share one Postgres, and the last one to stop ends it', async () => {
  const directory = await shared
  const first = await start(directory)
  const second = await start(directory)
  expect(second.host).toBe(first.host)

  await first.stop()
  expect(await query(second, 'select 1')).toEqual([1])

  await second.stop()
  expect(await running(second)).toBe(false)
})

test('a Postgres with a connected client keeps running', async () => {
  const directory = await shared
  const left = await start(directory)
  const guest = await connect(left)

  await left.stop()
  expect((await guest.query('select 1')).rowCount).toBe(1)

  await guest.end()
  const joined = await start(directory)
  await joined.stop()
  expect(await running(joined)).toBe(false)
})

test('after Postgres is killed, the next launch has every acknowledged row', async () => {
  const directory = await shared
  const killed = await start(directory)
  const client = await connect(killed)
  await client.query('create table rows (id int)')
  const acknowledged: number[] = []
  setTimeout(async () => process.kill(await processOf(killed), 'SIGKILL'), 300)
  await expect(async () => {
    for (let id = 0; ; id++) {
      await client.query('insert into rows values ($1)', [id])
      acknowledged.push(id)
    }
  }).rejects.toThrow()

  const postgres = await start(directory)

  expect(acknowledged.length).toBeGreaterThan(0)
  expect(await query(postgres, 'select id from rows order by id')).toEqual(expect.arrayContaining(acknowledged))
})

test('launches at once on a new directory all join one Postgres', async () => {
  const directory = await newDirectory()

  const all = await Promise.all([start(directory), start(directory), start(directory)])

  expect(new Set(await Promise.all(all.map(processOf)))).toHaveProperty('size', 1)
  await query(all[0], 'create table seen ()')
  expect(await query(all[2], 'select count(*)::int from seen')).toEqual([0])

  await Promise.all(all.map((postgres) => postgres.stop()))
  expect(await running(all[0])).toBe(false)
})

test('missing binaries are named, with what to do', async () => {
  await expect(launch(await newDirectory(), { pgbin: '/nowhere' })).rejects.toThrow('PGBIN is "/nowhere"')
})

test('a Postgres that does not start says why, and the next launch can succeed', async () => {
  const directory = await newDirectory()

  await expect(launch(directory, { settings: { max_connections: 'many' } })).rejects.toThrow(
    'invalid value for parameter "max_connections"',
  )
  expect(await query(await start(directory), 'select 1')).toEqual([1])
})
