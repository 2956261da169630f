import { connect } from 'node:net'
import { join } from 'node:path'
import { Client, type ClientConfig } from 'pg'
import { Location } from '../../../entities/index.ts'
import { eventually } from '../../support/eventually.ts'
import { codes, messageOf } from '../../support/pooler/messages.ts'
import { pooledWorld } from '../../support/pooler/pooled-world.ts'
import { Pooler } from '../../support/pooler/pooler.ts'

const { database, databaseName, ending, given, pooler } = pooledWorld

const { host, port, user } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
const socket = join(host, `.s.PGSQL.${port}`)
const pid = 'SELECT pg_backend_pid() AS "pid"'

async function openPooler(options: Partial<ConstructorParameters<typeof Pooler>[0]>): Promise<Pooler> {
  const opened = await new Pooler({ socket, user, database: databaseName, ...options }).open()
  ending.push(() => opened.close())
  return opened
}

async function clientOf({ url }: { url: string } = pooler, settings: ClientConfig = {}): Promise<Client> {
  const client = new Client({ connectionString: url, ...settings })
  client.on('error', () => {})
  await client.connect()
  ending.unshift(() => client.end().catch(() => {}))
  return client
}

const only = async (client: Client, sql: string, values?: unknown[]) =>
  Object.values((await client.query(sql, values)).rows[0])[0]

describe('The pooler of these tests behaves as PgBouncer in transaction mode', () => {
  test('each transaction of a client runs on another connection of Postgres than the one before', async () => {
    const client = await clientOf()
    const pids: unknown[] = []
    for (let n = 0; n < 6; n++) pids.push(await only(client, pid))
    for (let n = 1; n < 6; n++) expect(pids[n]).not.toBe(pids[n - 1])

    await client.query('BEGIN')
    expect(await only(client, pid)).toBe(await only(client, pid))
    await client.query('COMMIT')
  })

  test('a setting, a lock and a channel of a session are lost with the transaction', async () => {
    const client = await clientOf()
    await client.query('SET work_mem = 1234')
    expect(await only(client, 'SHOW work_mem')).not.toBe('1234kB')
    await client.query('SELECT pg_advisory_lock(7)')
    expect(await only(client, 'SELECT pg_advisory_unlock(7)')).toBe(false)
    await client.query('LISTEN news')
    expect((await client.query('SELECT pg_listening_channels()')).rows).toEqual([])
  })

  test('with resets, no connection of Postgres keeps a setting for another client', async () => {
    const resetting = await openPooler({ resets: true, size: 2 })
    const [one, other] = [await clientOf(resetting), await clientOf(resetting)]
    for (let n = 0; n < 4; n++) await one.query('SET work_mem = 1234')
    for (let n = 0; n < 4; n++) expect(await only(other, 'SHOW work_mem')).not.toBe('1234kB')
  })

  test.each([
    [{ statement_timeout: 1000 }, 'unsupported startup parameter: statement_timeout'],
    [{ options: '-c lock_timeout=1' }, 'unsupported startup parameter in options: lock_timeout'],
  ])('a startup with %j is refused', async (settings, message) => {
    await expect(clientOf(pooler, settings)).rejects.toMatchObject({ message, code: '08P01' })
  })

  test('a time zone of the startup holds for every transaction', async () => {
    const client = await clientOf(pooler, { options: '-c TimeZone=Asia/Tokyo' })
    for (let n = 0; n < 4; n++) expect(await only(client, 'SHOW TimeZone')).toBe('Asia/Tokyo')
    expect(await only(await clientOf(), 'SHOW TimeZone')).not.toBe('Asia/Tokyo')
  })

  test('a statement keeps its name for its client on every connection of Postgres', async () => {
    const [one, other] = [await clientOf(), await clientOf()]
    for (let n = 0; n < 4; n++) {
      const ask = (client: Client, text: string) => client.query({ name: 'same', text, values: [n] })
      expect((await ask(one, 'SELECT $1::int AS "n"')).rows).toEqual([{ n }])
      expect((await ask(other, 'SELECT $1::int + 1 AS "n"')).rows).toEqual([{ n: n + 1 }])
    }
    const { rows } = await one.query('SELECT "name" FROM pg_prepared_statements')
    expect(rows).not.toContainEqual({ name: 'same' })
  })

  test('a failed statement is prepared again, and an error in a transaction ends it', async () => {
    const client = await clientOf()
    const ask = () => client.query({ name: 'late', text: 'SELECT count(*) FROM "late_table"', values: [] })
    for (let n = 0; n < 3; n++) await expect(ask()).rejects.toMatchObject({ code: '42P01' })

    await client.query('BEGIN')
    await expect(ask()).rejects.toMatchObject({ code: '42P01' })
    await expect(only(client, pid)).rejects.toMatchObject({ code: '25P02' })
    await client.query('ROLLBACK')
    expect(await only(client, 'SELECT 1')).toBe(1)
  })

  test('a cancel request reaches the statement of its client', async () => {
    const client = (await clientOf()) as Client & { processID: number; secretKey: number }
    const slow = client.query('SELECT pg_sleep(10)')
    await eventually(async () => {
      connect(pooler.port, '127.0.0.1').end(messageOf('', codes.cancel, client.processID, client.secretKey))
      await Promise.race([
        slow,
        new Promise((_, reject) => setTimeout(reject, 100, new Error('It still runs.'))),
      ]).catch(({ code }) => expect(code).toBe('57014'))
    })
    expect(await only(client, 'SELECT 1')).toBe(1)
  })

  test('a client whose connection of Postgres dies in a transaction is disconnected, and others are served', async () => {
    const [client, other] = [await clientOf(), await clientOf()]
    await client.query('BEGIN')
    const own = await only(client, pid)
    const dying = client.query('SELECT pg_sleep(10)')
    await Promise.all([
      expect(dying).rejects.toMatchObject({ message: expect.stringMatching(/terminat|crashed/) }),
      only(other, 'SELECT pg_terminate_backend($1)', [own]),
    ])
    await expect(client.query('SELECT 1')).rejects.toThrow()
    for (let n = 0; n < 3; n++) expect(await only(other, pid)).not.toBe(own)
  })

  test('the transaction of a client that leaves is rolled back', async () => {
    const [client, other] = [await clientOf(), await clientOf()]
    const { id } = await given(Location, { name: 'Quay' })
    await client.query('BEGIN')
    await client.query('DELETE FROM "location" WHERE "id" = $1', [id])
    const own = await only(client, pid)
    await client.end()
    const isGone = () => only(other, 'SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE "pid" = $1)', [own])
    await eventually(isGone, (gone) => expect(gone).toBe(true))
    expect(await database.manager.countBy(Location, { id })).toBe(1)
  })
})
