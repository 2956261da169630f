import { execFile } from 'node:child_process'
import { appendFile, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { launch, type Postgres } from '../../../src/postgres/launcher.ts'

/** A Postgres with another that follows it, each to be asked by hand. */
export interface Pair {
  primary: Postgres
  standby: Postgres
  remove(): Promise<void>
}

/** Makes a streaming replica as pg_basebackup would, which the embedded Postgres lacks: from the data of one at rest. */
export async function startReplicatedPair(): Promise<Pair> {
  const [first, second] = [await room(), await room()]
  const blank = await launch(first)
  await blank.stop()
  const data = join(second, basename(blank.directory))
  await promisify(execFile)('cp', ['-a', blank.directory, data])
  await writeFile(join(data, 'standby.signal'), '')
  await appendFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = 'host=${blank.host} user=${blank.user}'\n`)
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

/** Asks one of them by hand. */
export async function query(postgres: Postgres, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: urlOf(postgres) })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Open to the account that Postgres runs as when the tests are run by root. */
async function room(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pair-'))
  await chmod(directory, 0o755)
  return directory
}
