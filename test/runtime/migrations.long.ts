import { DataSource } from 'typeorm'
import { Subscription } from '../../entities/index.ts'
import { withoutTimeouts } from '../../ormconfig.ts'
import { ApiKeys1764000000120 } from '../../src/migrations/1764000000120-api-keys.ts'
import { migrations } from '../../src/migrations/index.ts'
import { migrate } from '../../src/migrations/migrate.ts'
import { secureRows } from '../../src/postgres/row-security.ts'
import { survivePoolErrors } from '../../src/runtime/database.ts'
import { eventually } from '../support/eventually.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { schemaOf } from '../support/rows/schema.ts'
import { openWorld } from '../support/world.ts'

const { api, database, databaseName, ending, given, givenAddress, served, tenant } = await openWorld()

test('each down of an empty database leaves the schema that its up found, and all apply again', async () => {
  const empty = await emptyDatabase()
  const found: Record<string, string>[] = []
  for (const index of migrations.keys()) {
    found.push(await schemaOf(empty))
    await migrateTo(empty, index + 1)
  }
  const newest = await schemaOf(empty)
  expect(newest).toEqual(await schemaOf(database))
  for (const { name } of [...migrations].reverse()) {
    await undo(empty)
    expect({ after: name, ...(await schemaOf(empty)) }).toEqual({ after: name, ...found.pop() })
  }
  await migrateTo(empty, migrations.length)
  expect(await schemaOf(empty)).toEqual(newest)
}, 60_000)

test('a database with rows goes back to the first migration and forward, and keeps the rows of tables from then', async () => {
  await rowsOf(tenant)
  const address = await givenAddress({ name: 'Old office' })
  const ended = await given(Subscription, { organizationAddress: address, seats: 1, status: 'canceled' })
  expect((await api.delete(`/organization-addresses/${address.id}`)).status).toBe(204)
  const paths = ['/meetings', '/employees?order[name]=asc', '/locations', '/invoices', '/audit-events']
  const before = await membersOf(paths)
  const schema = await schemaOf(database)

  for (let count = migrations.length; count > 1; count--) await undo(database)
  await migrateTo(database, migrations.length)
  // The owner grants the server's role what it needs, as each start does.
  await migrate(served)
  expect(await schemaOf(database)).toEqual(schema)
  expect(await membersOf(paths)).toEqual(before)
  const { body } = await api.get(`/subscriptions/${ended.id}`)
  expect((await api.get(body.organizationAddress)).body).toMatchObject({ name: 'Old office', city: 'Amsterdam' })
}, 60_000)

test('the audit log is written while it is indexed for API keys, by a migration that can run again', async () => {
  const patient = await withoutTimeouts(database).initialize()
  survivePoolErrors(patient)
  ending.push(() => patient.destroy())
  const [migrating, holding] = [patient.createQueryRunner(), patient.createQueryRunner()]
  const [schema, migration] = [await schemaOf(database), new ApiKeys1764000000120()]
  await migration.down(migrating)
  // A snapshot from before keeps the build waiting, as a busy log does.
  await holding.startTransaction('REPEATABLE READ')
  await holding.query('SELECT 1')
  const applied = migration.up(migrating)
  await eventually(
    () =>
      database.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INDEX CONCURRENTLY%'`,
      ),
    (waiting) => expect(waiting).toHaveLength(1),
  )
  await api.patch(`/organizations/${tenant.organization.id}`, { name: 'Written meanwhile' }).expect(200)
  await holding.rollbackTransaction()
  await applied
  await migration.up(migrating)
  // The migration after it secures the rows of the table.
  await secureRows(migrating, 'api_key')
  await Promise.all([migrating.release(), holding.release()])
  expect(await schemaOf(database)).toEqual(schema)
  await migrate(served)
}, 60_000)

test('processes that start at once on an empty database migrate it once, and wait for each other without a deadlock', async () => {
  const name = `${databaseName}_shared`
  await database.query(`CREATE DATABASE "${name}"`)
  const shared = new DataSource({ ...database.options, database: name } as DataSource['options'])
  await Promise.all([migrate(shared), migrate(shared), migrate(shared)])
  await shared.initialize()
  survivePoolErrors(shared)
  ending.push(() => shared.destroy())
  const applied = await shared.query('SELECT "name" FROM "migrations" ORDER BY "id"')
  expect(applied.map(({ name }: { name: string }) => name)).toEqual(migrations.map(({ name }) => name))
  expect(await schemaOf(shared)).toEqual(await schemaOf(database))
}, 60_000)

async function membersOf(paths: string[]): Promise<unknown[]> {
  return Promise.all(paths.map(async (path) => (await api.get(path)).body))
}

/** A second database, beside that of the world. It has only TypeORM's table of applied migrations. */
async function emptyDatabase(): Promise<DataSource> {
  const name = `${databaseName}_empty`
  await database.query(`CREATE DATABASE "${name}"`)
  const empty = await new DataSource({ ...database.options, database: name } as DataSource['options']).initialize()
  survivePoolErrors(empty)
  ending.push(() => empty.destroy())
  await migrateTo(empty, 0)
  return empty
}

/** Applies the first migrations in the same way as older code, which has no others. */
async function migrateTo(source: DataSource, count: number): Promise<void> {
  const options = { ...source.options, entities: [], migrations: migrations.slice(0, count) } as DataSource['options']
  const older = await new DataSource(options).initialize()
  survivePoolErrors(older)
  await older.runMigrations().finally(() => older.destroy())
}

/** Undoes the last migration that was applied. */
async function undo(source: DataSource): Promise<void> {
  const [last]: { name: string }[] = await source.query(
    'SELECT "name" FROM "migrations" ORDER BY "timestamp" DESC LIMIT 1',
  )
  const migration = source.migrations.find((one) => one.constructor.name === last.name)
  const transaction = migration?.transaction === false ? 'none' : 'each'
  await source.undoLastMigration({ transaction }).catch((error) => {
    throw new Error(`The down of ${last.name} fails: ${error.message}`, { cause: error })
  })
}
