import { execFile } from 'node:child_process'
import { appendFile, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { launch, type Postgres } from '../../../src/postgres/launcher.ts'

/** A primary Postgres and a standby that replicates it. */
export interface ReplicatedPair {
  primary: Postgres
  standby: Postgres
  remove(): Promise<void>
}

/** Creates a streaming replica from the data of a stopped primary, because the embedded Postgres has no pg_basebackup. */
export async function startReplicatedPair(): Promise<ReplicatedPair> {
  const [first, second] = [await newDirectory(), await newDirectory()]
  const stopped = await launch(first)
  await stopped.stop()
  const data = join(second, basename(stopped.directory))
  await promisify(execFile)('cp', ['-a', stopped.directory, data])
  await writeFile(join(data, 'standby.signal'), '')
  await appendFile(
    join(data, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=${stopped.host} user=${stopped.user}'\n`,
  )
  const primary = await launch(first)
  const standby = await launch(second)
  return {
    primary,
    standby,
    async remove() {
      for (const { stop } of [standby, primary]) await stop().catch(() => {})
      const homes = [primary, standby].map(({ directory }) => dirname(directory))
      for (const folder of new Set([first, second, ...homes])) await rm(folder, { recursive: true, force: true })
    },
  }
}

export function urlOf({ user, host, database }: Postgres): string {
  return `postgres://${user}@localhost/${database}?host=${host}`
}

/** Runs a statement on one of them. */
export async function query(postgres: Postgres, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: urlOf(postgres) })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** A new directory. Root's tests run Postgres as another account, which can enter it. */
async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pair-'))
  await chmod(directory, 0o755)
  return directory
}
