import { type Client, Pool, type PoolClient, type PoolConfig } from 'pg'
import type { DataSource } from 'typeorm'
import { StartError } from '../start/start-error.ts'
import { surviveConnectionErrors } from './connection-errors.ts'

/** A pooler at the address of a database shares the connections of Postgres where sessions are needed. */
export class SharedSessionsError extends Error {}

const noNames =
  'The pooler at DATABASE_URL does not keep named statements. Set max_prepared_statements of PgBouncer 1.21 or later to 200.'

/**
 * Two sessions take turns in this order. A pooler that lends connections in any fixed order gives one of them a second
 * connection, or both the same.
 */
const turns = [0, 1, 1, 0, 1, 0, 0, 1]

/** @throws SharedSessionsError where a pooler gives each transaction another connection: locks and LISTEN would get lost */
export async function requireSessions(database: DataSource): Promise<void> {
  const runners = [database.createQueryRunner(), database.createQueryRunner()]
  const backendOf = async (runner: (typeof runners)[number]): Promise<number> =>
    (await runner.query('SELECT pg_backend_pid() AS "backend"'))[0].backend
  try {
    // Postgres announces its own process to a client. A pooler makes a number up, also one that keeps sessions.
    const { processID }: Client & { processID?: number } = await runners[0].connect()
    if (processID === (await backendOf(runners[0]))) return
    const seen = [new Set<number>(), new Set<number>()]
    for (const turn of turns) seen[turn].add(await backendOf(runners[turn]))
    if (new Set([...seen[0], ...seen[1]]).size !== 2 || seen.some(({ size }) => size !== 1))
      throw new SharedSessionsError('a pooler there gives each transaction another connection')
  } finally {
    for (const runner of runners) await runner.release()
  }
}

/** @throws StartError where the pooler leads to a database of another name: jobs would work on other rows than requests */
export async function requireSameDatabase(pooled: DataSource, direct: DataSource): Promise<void> {
  const names = await Promise.all(
    [pooled, direct].map(async (source) => (await source.query('SELECT current_database() AS "name"'))[0].name),
  )
  if (names[0] === names[1]) return
  const [requests, jobs] = names.map((name) => JSON.stringify(name))
  throw new StartError(
    `DATABASE_URL leads to the database ${requests}, and DATABASE_DIRECT_URL to ${jobs}. Set both to the same database.`,
  )
}

/**
 * Two clients prepare different statements of the same name.
 * @throws StartError where a pooler loses the names of statements, or shares them between clients
 */
export async function requireNamedStatements(options: PoolConfig): Promise<void> {
  const pool = new Pool({ ...options, max: 2 })
  surviveConnectionErrors(pool)
  const clients: PoolClient[] = []
  try {
    while (clients.length < 2) clients.push(await pool.connect())
    for (const turn of turns) {
      const { rows } = await clients[turn].query({ name: 'pooler-check', text: `SELECT ${turn} AS "turn"` })
      if (rows[0].turn !== turn) throw new StartError(noNames)
    }
  } catch (error) {
    const { code } = error as { code?: string }
    throw code === '26000' || code === '42P05' ? new StartError(noNames, { cause: error }) : error
  } finally {
    for (const client of clients) client.release(true)
    await pool.end()
  }
}
