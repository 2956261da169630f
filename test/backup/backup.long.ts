import { execFile } from 'node:child_process'
import { appendFile, copyFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Decrypter } from 'age-encryption'
import { Integration } from '../../entities/index.ts'
import { sealArchive } from '../../src/backup/archive.ts'
import { backUp } from '../../src/backup/backup.ts'
import { migrateTo } from '../../src/backup/empty-database.ts'
import { writeNewFile } from '../../src/backup/new-file.ts'
import { restore, withBackup } from '../../src/backup/restore.ts'
import { seedDemo } from '../../src/demo/demo.ts'
import { migrations } from '../../src/migrations/index.ts'
import { migrate } from '../../src/migrations/migrate.ts'
import { withMigrationLock } from '../../src/migrations/migration-lock.ts'
import { shortLivedTables } from '../../src/postgres/table-kinds.ts'
import { enqueue } from '../../src/queue/enqueue.ts'
import { seal, open as unseal } from '../../src/secrets/sealed-text.ts'
import { png } from '../images/sample-images.ts'
import { upload } from '../images/upload-requests.ts'
import { onDatabase, serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { schemaOf } from '../support/rows/schema.ts'
import { morning, openWorld } from '../support/world.ts'
import {
  backUpTo,
  contentOf,
  cost,
  emptyDatabase,
  folder,
  migratedDatabase,
  passphrase,
  restoreFrom,
  urlOf,
  wrongTotals,
} from './databases.ts'

const { api, database, elsewhere, ending, issuer, secretKeys, tenant, tokenOf } = await openWorld()

const rows = await rowsOf(tenant)
await rowsOf(elsewhere)
await seedDemo(database, issuer.issuer, { manualBilling: true })
const { body: logo } = await upload('logo', await png())
const owner = { table: 'integration.access', id: rows.Integration.id, organization: tenant.organization.id }
const sealedAccess = seal('the consent', secretKeys, owner)
await database.manager.update(Integration, { id: rows.Integration.id }, { sealedAccess })
await enqueue(database.manager, 'sendMail', { id: tenant.organization.id }, { key: 'later', after: 3600 })
await enqueue(database.manager, 'sendMail', { id: elsewhere.organization.id })

/** Writes through the API until the signal: each cycle adds, changes and deletes rows. */
async function writeUntil(signal: AbortSignal): Promise<number> {
  let cycles = 0
  while (!signal.aborted) {
    const { body: employee } = await api.post('/employees', { name: `Storm ${cycles}` })
    const { body: place } = await api.post('/locations', { name: `Place ${cycles}` })
    const made = await api.post('/meetings', {
      name: 'Storm',
      employee: employee['@id'],
      dateFrom: morning.dateFrom,
      dateTo: morning.dateTo,
    })
    await api.patch(employee['@id'], { name: `Storm ${cycles} again` })
    await api.delete(place['@id'])
    if (cycles % 2) await api.delete(made.body['@id'])
    cycles += 1
  }
  return cycles
}

test('a backup during writes is one snapshot, and the backup after them restores every row', async () => {
  const calm = new AbortController()
  const writing = Promise.all([writeUntil(calm.signal), writeUntil(calm.signal)])
  const during: string[] = []
  for (let number = 0; number < 3; number += 1) during.push(await backUpTo(`during-${number}`))
  calm.abort()
  for (const cycles of await writing) expect(cycles).toBeGreaterThan(2)
  const after = await backUpTo('after')

  const early = await restoreFrom(during[1], await migratedDatabase())
  expect(await wrongTotals(early)).toEqual([])
  const { employee } = await contentOf(early)
  expect(employee).not.toBe((await contentOf(database)).employee)

  const restored = await restoreFrom(after, await emptyDatabase())
  expect(await contentOf(restored)).toEqual(await contentOf(database))
  expect(await schemaOf(restored)).toEqual(await schemaOf(database))
  expect(await wrongTotals(restored)).toEqual([])
  const [{ analyzed }] = await restored.query(
    `SELECT count(*)::int AS "analyzed" FROM pg_stats WHERE schemaname = 'public' AND tablename = 'employee'`,
  )
  expect(analyzed).toBeGreaterThan(0)
})

test('a server on restored rows serves items, images and jobs, and opens secrets; sessions and changes are gone', async () => {
  const path = join(folder, 'after')
  const restored = await restoreFrom(path, await migratedDatabase())
  const jobs = `SELECT "task_identifier" AS "task", "key", "run_at", "attempts" FROM graphile_worker.jobs ORDER BY "id"`
  expect(await restored.query(jobs)).toEqual(await database.query(jobs))
  const [{ sealedAccess }] = await restored.query('SELECT "sealedAccess" FROM "integration" WHERE "id" = $1', [
    rows.Integration.id,
  ])
  expect(unseal(sealedAccess, secretKeys, owner)).toBe('the consent')
  for (const table of shortLivedTables) expect(await restored.query(`SELECT FROM "${table}"`)).toEqual([])

  const server = new ServerProcess({ ...serverEnvironment('restored'), ...onDatabase(urlOf(restored)) })
  ending.unshift(() => server.close())
  await server.start()
  const headers = { authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
  const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`, { headers })
  expect(await (await get(`/employees/${rows.Employee.id}`)).json()).toMatchObject({ name: 'Mia' })
  const image = await get(logo.logo)
  expect([image.status, image.headers.get('content-type')]).toEqual([200, 'image/png'])
})

const damaged = /^"[^"]+" was cut, damaged or altered\. Use another copy of the backup\.$/
const unreadable = /^The passphrase is wrong, or the start of "[^"]+" is damaged\.$/

/** Reads a copy of a backup that was changed. */
async function readChanged(change: (path: string, size: number) => Promise<unknown>): Promise<string> {
  const path = join(folder, 'changed')
  await copyFile(join(folder, 'after'), path)
  await change(path, (await stat(path)).size)
  return withBackup(path, passphrase, async () => 'whole').catch((error) => error.message)
}

const flip = (position: number) => async (path: string) => {
  const bytes = await readFile(path)
  bytes[position < 0 ? bytes.length + position : position] ^= 1
  await writeFile(path, bytes)
}

test('a backup that was cut, damaged or altered is refused with a sentence before anything is written', async () => {
  const { size } = await stat(join(folder, 'after'))
  const bytes = await readFile(join(folder, 'after'))
  const start = bytes.indexOf('age-encryption.org')
  expect(await readChanged(async () => {})).toBe('whole')
  expect(await readChanged(flip(0))).toMatch(/^"[^"]+" is no backup of this application\.$/)
  expect(await readChanged(flip(bytes.indexOf('"version":"') + 12))).toMatch(damaged)
  for (const position of [start, start + 30, start + 80]) expect(await readChanged(flip(position))).toMatch(unreadable)
  for (const position of [start + 300, size >> 1, -1]) expect(await readChanged(flip(position))).toMatch(damaged)
  for (const length of [start + 300, size >> 1, size - 1])
    expect(await readChanged((path) => truncate(path, length))).toMatch(damaged)
  for (const length of [0, 10]) expect(await readChanged((path) => truncate(path, length))).toMatch(/is no backup/)
  expect(await readChanged((path) => truncate(path, start + 10))).toMatch(unreadable)
  expect(await readChanged((path) => appendFile(path, 'x'))).toMatch(damaged)
  const wrong = withBackup(join(folder, 'after'), `${passphrase} `, async () => {})
  await expect(wrong).rejects.toThrow(unreadable)
  await expect(withBackup(join(folder, 'none'), passphrase, async () => {})).rejects.toThrow(
    /^"[^"]+none" cannot be read: no such file or directory\.$/,
  )
})

test('a restore into a database with rows, or with tables of others, is refused and changes nothing', async () => {
  const before = await contentOf(database)
  const path = join(folder, 'after')
  await expect(restoreFrom(path, database)).rejects.toThrow(/^The database is not empty: it has rows in "\w+"\. /)
  expect(await contentOf(database)).toEqual(before)
  expect(before).toEqual(await contentOf(await restoreFrom(path, await migratedDatabase())))

  const foreign = await emptyDatabase()
  await foreign.query('CREATE TABLE "wp_posts" ("id" int)')
  await expect(restoreFrom(path, foreign)).rejects.toThrow('it has the table "wp_posts".')
  expect(await foreign.query(`SELECT "tablename" FROM pg_tables WHERE schemaname = 'public'`)).toHaveLength(1)
})

test('rows that differ from those of the backup undo the whole restore, and the same database takes the next one', async () => {
  const target = await migratedDatabase()
  const wrong = withBackup(join(folder, 'after'), passphrase, (backup) => {
    const tables = backup.tables.map((table) => (table.name === 'meeting' ? { ...table, digest: '0' } : table))
    return restore(target, { ...backup, tables })
  })
  await expect(wrong).rejects.toThrow(/^The table "meeting" has other rows than the backup\. Nothing was restored\.$/)
  expect(await target.query('SELECT FROM "organization"')).toEqual([])
  await restoreFrom(join(folder, 'after'), target)
  expect(await schemaOf(target)).toEqual(await schemaOf(database))
})

test('a start waits for a restore, and a start with nothing to migrate does not wait for a backup', async () => {
  const target = await migratedDatabase()
  const order: string[] = []
  let waiting: Promise<void> | undefined
  await withBackup(join(folder, 'after'), passphrase, (backup) =>
    restore(target, backup, {
      async beforeCommit() {
        waiting = migrate(target).then(() => void order.push('started'))
        await setTimeout(300)
        order.push('restored')
      },
    }),
  )
  await waiting
  expect(order).toEqual(['restored', 'started'])

  const log = (line: string) => {
    if (line.startsWith('employee')) waiting = migrate(target).then(() => void order.push('started again'))
  }
  await withMigrationLock(target, 'shared', async () => {
    await migrate(target)
    await backUp(target, { path: join(folder, 'while-starting'), passphrase, cost, log })
    await waiting
    order.push('the lock is free')
  })
  expect(order.slice(2)).toEqual(['started again', 'the lock is free'])
})

test('a backup of an older schema is restored at its migration, and the next start applies the others', async () => {
  const older = await emptyDatabase()
  const count = migrations.findIndex(({ name }) => name.startsWith('CountedWrites'))
  const names = migrations.slice(0, count).map(({ name }) => name)
  await migrateTo(older, { migrations: names, version: '0.0.1' })
  const { id } = tenant.organization
  await older.query(`INSERT INTO "organization" SELECT * FROM json_populate_record(NULL::"organization", $1)`, [
    JSON.stringify({ ...(await rowOf('organization', id)), logoId: null, iconId: null }),
  ])
  await older.query(`INSERT INTO "location" SELECT * FROM json_populate_record(NULL::"location", $1)`, [
    JSON.stringify(await rowOf('location', rows.Location.id)),
  ])
  expect(await wrongTotals(older)).toEqual([])
  const path = await backUpTo('older', older)

  const restored = await restoreFrom(path, await emptyDatabase())
  expect(await contentOf(restored)).toEqual(await contentOf(older))
  expect(await schemaOf(restored)).toEqual(await schemaOf(older))
  await migrate(restored)
  expect(await schemaOf(restored)).toEqual(await schemaOf(database))
  expect(await wrongTotals(restored)).toEqual([])
  await expect(restoreFrom(path, await migratedDatabase())).rejects.toThrow(
    /^The database has the migration CountedWrites\d+, which the backup lacks\. Restore into a new database/,
  )
})

test('a backup of newer code is refused, and so is a backup of a newer database', async () => {
  const names = [...migrations.map(({ name }) => name), 'Later1999000000001']
  const header = { version: '9.0.0', createdAt: '2030-01-01T00:00:00Z', migrations: names, secretKeys: [] }
  const path = join(folder, 'newer')
  const content = Buffer.from('{"tables":[]}')
  await writeNewFile(path, sealArchive(header, Readable.from([{ name: 'tables.json', content }]), passphrase, cost))
  const target = await migratedDatabase()
  await expect(restoreFrom(path, target)).rejects.toThrow(
    'The backup needs the migration Later1999000000001, which this version does not have. Restore it with version 9.0.0.',
  )
  await target.query(`INSERT INTO "migrations" ("timestamp", "name") VALUES (1999000000001, 'Later1999000000001')`)
  await expect(backUpTo('of-newer', target)).rejects.toThrow(
    'The database has the migration Later1999000000001, which this version does not know. Back it up with the newer version.',
  )
  const later = (await readFile(path, 'latin1')).replace('backup 1\n', 'backup 2\n')
  await writeFile(path, later, 'latin1')
  await expect(restoreFrom(path, target)).rejects.toThrow(
    /is a backup in format 2, and this version reads format 1\. Use the version that made it\.$/,
  )
})

test('a backup replaces no file unless it is told to, only its owner can read it, and a failed one leaves none', async () => {
  const path = join(folder, 'once')
  const options = { path, passphrase, cost }
  await backUp(database, options)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const first = await readFile(path)
  await expect(backUp(database, options)).rejects.toThrow(/^"[^"]+once" exists\. /)
  expect(await readFile(path)).toEqual(first)
  const fifo = join(folder, 'fifo')
  await promisify(execFile)('mkfifo', [fifo])
  await expect(backUp(database, { ...options, path: fifo })).rejects.toThrow(/^"[^"]+fifo" exists\. /)
  const failing = async function* () {
    yield Buffer.from('half')
    throw new Error('the connection was lost')
  }
  await expect(writeNewFile(path, failing(), true)).rejects.toThrow('the connection was lost')
  expect(await readFile(path)).toEqual(first)
  await backUp(database, { ...options, replace: true })
  expect(await readFile(path)).not.toEqual(first)
  await expect(backUp(database, { ...options, path: join(folder, 'none', 'x') })).rejects.toThrow(
    /cannot be written: no such file or directory\. Choose another file\.$/,
  )
  expect((await readdir(folder)).filter((name) => name.endsWith('.partial'))).toEqual([])
})

test('age and tar open a backup without this application, and its rows are the text of COPY', async () => {
  const bytes = await readFile(join(folder, 'after'))
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  await writeFile(
    join(folder, 'plain.tar.gz'),
    await decrypter.decrypt(bytes.subarray(bytes.indexOf('age-encryption'))),
  )
  await promisify(execFile)('tar', ['-xzf', 'plain.tar.gz'], { cwd: folder })
  const { tables } = JSON.parse(await readFile(join(folder, 'tables.json'), 'utf8'))
  const { columns } = tables.find(({ name }: { name: string }) => name === 'employee')
  const lines = (await readFile(join(folder, 'tables/employee/00000000'), 'utf8')).split('\n')
  const mia = lines.map((line) => line.split('\t')).find((values) => values.includes(rows.Employee.id))
  expect(mia?.[columns.indexOf('name')]).toBe('Mia')
  expect(await readFile(join(folder, 'header.txt'))).toEqual(bytes.subarray(0, bytes.indexOf('age-encryption')))
  expect(bytes.subarray(0, bytes.indexOf('age-encryption')).toString()).toContain('"secretKeys":["')
})

async function rowOf(table: string, id: string): Promise<object> {
  const [{ row }] = await database.query(`SELECT to_json(t) AS "row" FROM "${table}" t WHERE "id" = $1`, [id])
  return row
}
