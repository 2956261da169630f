import type { Pool, PoolClient } from 'pg'
import type { KeyedRead, ReadRow } from '../../model/store.ts'
import { isLostConnection } from '../database-problem.ts'
import { TenantScope } from '../tenant-scope.ts'
import type { PendingRead } from './pending-read.ts'

/** The statement of a batch, and how its keys are read. */
export interface Batch {
  pool: Pool
  statement: KeyedRead
  /** Whether all keys have one scope, which the statement then names once. */
  isOneScope: boolean
}

/**
 * Sends reads as one statement and settles them. A value that the database rejects (SQLSTATE class 22) splits the batch in halves,
 * so that it fails alone. A lost connection repeats the batch once. Every other error fails all of its reads.
 */
export async function sendBatch(batch: Batch, reads: PendingRead[]): Promise<number> {
  let repeats = 1
  const send = async (some: PendingRead[]): Promise<number> => {
    const open = some.filter(({ isSettled }) => !isSettled)
    if (open.length === 0) return 0
    try {
      return await attempt(batch, open)
    } catch (error) {
      if (open.length > 1 && isRejectedValue(error)) {
        const half = open.length >> 1
        return (await send(open.slice(0, half))) + (await send(open.slice(half)))
      }
      if (repeats > 0 && error instanceof LostConnection) {
        repeats--
        return send(open)
      }
      for (const read of open) read.fail(error instanceof LostConnection ? error.cause : error)
      return 0
    }
  }
  return send(reads)
}

/** A connection that ended while it ran the statement. */
class LostConnection extends Error {}

/** @returns the bytes received */
async function attempt({ pool, statement, isOneScope }: Batch, reads: PendingRead[]): Promise<number> {
  const client: PoolClient & { scope?: { readonly text: string } } = await pool.connect()
  let broken: boolean | undefined
  // Row-level security admits the tenants of all reads; the lateral of each key separates them.
  client.scope = statement.tenants ?? TenantScope.union(reads.map(({ scope }) => scope))
  try {
    const before = bytesRead(client)
    if (reads.length === 1) reads[0].succeed(await statement.alone(client, reads[0].keys))
    else {
      const keys = reads.flatMap((read) => read.keys)
      settle(reads, await (isOneScope ? statement.togetherInScope(client, keys) : statement.together(client, keys)))
    }
    return bytesRead(client) - before
  } catch (error) {
    // A connection that ran into a timeout of the client's side still runs its statement.
    broken = !/^[0-7]/.test((error as { code?: string }).code ?? '')
    throw isLostConnection(error) ? new LostConnection('', { cause: error }) : error
  } finally {
    client.scope = undefined
    client.release(broken)
  }
}

function settle(reads: PendingRead[], rows: ReadRow[][]): void {
  let next = 0
  for (const read of reads) {
    const own = rows.slice(next, next + read.keys.length)
    next += read.keys.length
    read.succeed(own.length === 1 ? own[0] : own.flat())
  }
}

function isRejectedValue(error: unknown): boolean {
  return (error as { code?: string }).code?.startsWith('22') ?? false
}

/** `pg` does not count the bytes of a result, but its socket does. */
function bytesRead(client: PoolClient): number {
  return (client as unknown as { connection: { stream: { bytesRead?: number } } }).connection.stream.bytesRead ?? 0
}
