import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connectTo } from '../../ormconfig.ts'
import { launch } from '../postgres/launcher.ts'
import { migrate } from './migrate.ts'

/** Prints the statements that would bring a migrated database to what the entities say; nothing when they agree. */
const directory = await mkdtemp(join(tmpdir(), 'migration-'))
const { host, port, user, database: name, directory: data, stop } = await launch(directory)
const database = await connectTo({ host, port, username: user, database: name }, 5).initialize()
await migrate(database)
/** TypeORM begins a primary key with the inherited column; the keys of this project begin with the organization. */
const tenantFirst = (query: string) =>
  query.replace('PRIMARY KEY ("id", "organizationId")', 'PRIMARY KEY ("organizationId", "id")')

const { upQueries, downQueries } = await database.driver.createSchemaBuilder().log()
for (const { query } of upQueries) console.log(`${tenantFirst(query)};`)
console.log('-- and back')
for (const { query } of downQueries.reverse()) console.log(`${query};`)
await database.destroy()
await stop()
for (const folder of [directory, dirname(data)]) await rm(folder, { recursive: true, force: true })
