import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connectTo } from '../../ormconfig.ts'
import { migrate } from '../../src/migrations/migrate.ts'
import { launch, type Postgres } from '../../src/postgres/launcher.ts'
import { survivePoolErrors } from '../../src/runtime/database.ts'

declare global {
  var postgres: Postgres | undefined
}

/**
 * Starts one Postgres for the whole run, with a migrated database that every test file copies. It also builds the
 * server if its sources have changed, because some tests start it as a process of its own.
 */
export default async function start(): Promise<void> {
  const built = promisify(execFile)(process.execPath, ['src/commands/build.js', '--if-stale'])
  const directory = await mkdtemp(join(tmpdir(), 'test-'))
  const postgres = await launch(directory, {
    database: 'template',
    pgbin: process.env.PGBIN,
    settings: { fsync: 'off', synchronous_commit: 'off', autovacuum: 'off' },
  })
  const { host, port, user, serverRole } = postgres
  const url = (role: string) => `postgres://${role}@localhost:${port}/template?host=${host}`
  const database = await connectTo({ url: url(serverRole) }, 2, { owner: url(user) }).initialize()
  survivePoolErrors(database)
  await migrate(database)
  await database.destroy()
  await built
  globalThis.postgres = postgres
  process.env.TEST_POSTGRES = JSON.stringify({ host, port, user, serverRole, directory })
}
