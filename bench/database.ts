import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectTo, withoutTimeouts } from '../ormconfig.ts'
import { localIssuer, ownIssuer } from '../src/access/token-issuer-keys.ts'
import { seedDemo } from '../src/demo/demo.ts'
import { migrate } from '../src/migrations/migrate.ts'
import { launch } from '../src/postgres/launcher.ts'
import { survivePoolErrors } from '../src/runtime/database.ts'
import { tenantsOf } from '../test/support/tenants.ts'
import { cores, pin } from './cores.ts'

/** Starts an embedded Postgres in a temporary folder, migrated and with the demo. */
export async function openBenchDatabase() {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'))
  const postgres = await launch(directory)
  const postmaster = Number(readFileSync(join(postgres.directory, 'postmaster.pid'), 'utf8').split('\n')[0])
  pin(cores.servers, postmaster)
  const source = connectTo(
    { host: postgres.host, port: postgres.port, username: postgres.user, database: postgres.database },
    2,
  )
  const database = await withoutTimeouts(source).initialize()
  survivePoolErrors(database)
  await migrate(database)
  await seedDemo(database, localIssuer, { manualBilling: true })
  const [{ server_version: version }] = await database.query('SHOW server_version')
  const issuer = await ownIssuer(localIssuer, directory)
  const operator = await tenantsOf(database.manager, localIssuer).person('bench-operator', { operator: true })
  const urlOf = (role: string) => `postgres://${role}@localhost/${postgres.database}?host=${postgres.host}`
  return {
    database,
    directory,
    postmaster,
    version: version as string,
    issuer,
    /** The Authorization header of the operator, who may read the metrics. */
    operator: `Bearer ${await issuer.sign({ sub: operator.subject })}`,
    /** Connects as the owner of the tables. */
    url: urlOf(postgres.user),
    /** Connects as the role of a server, from which row-level security hides rows. */
    serverUrl: urlOf(postgres.serverRole),
    async close() {
      await database.destroy()
      await sleep(500)
      await postgres.stop()
      for (const folder of [directory, dirname(postgres.directory)]) await rm(folder, { recursive: true, force: true })
    },
  }
}

export type BenchDatabase = Awaited<ReturnType<typeof openBenchDatabase>>
