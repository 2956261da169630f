import type { PoolClient } from 'pg'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { sessionSource } from '../../ormconfig.ts'
import { closeDatabase, survivePoolErrors } from '../postgres/connection-errors.ts'

/*
 * A notification says only that something was written, so that all processes read the table "change" soon. It is sent outside
 * the transaction of the write: Postgres commits transactions that notify one after another.
 */

const channel = 'change'

/** The least interval between two notifications of this process. */
const throttleMs = 100

/** The pause before a lost connection is replaced. Streams are fed by polling meanwhile. */
const reconnectMs = 2000

/** Returns a function that notifies all processes of a write; it never throws. */
export function changeNotifier(database: DataSource): () => void {
  const { master } = database.driver as PostgresDriver
  let timer: NodeJS.Timeout | undefined
  let again = false
  const notify = () => {
    again = false
    master.query(`NOTIFY "${channel}"`).catch(() => {})
    timer = setTimeout(() => {
      timer = undefined
      if (again) notify()
    }, throttleMs).unref()
  }
  return () => {
    if (timer) again = true
    else notify()
  }
}

/** Listens on one connection of its own, which a pooler must not share, until the returned function is called. */
export function listenForChanges(database: DataSource, log: Logger): (wake: () => void) => () => void {
  return (wake) => {
    let stopped = false
    let source: DataSource | undefined
    const connect = async (): Promise<void> => {
      try {
        source = await sessionSource(database).initialize()
        survivePoolErrors(source)
        const client: PoolClient = await (source.driver as PostgresDriver).master.connect()
        client.on('notification', wake)
        client.once('end', () => reconnect())
        await client.query(`LISTEN "${channel}"`)
        if (stopped) await close()
        // Changes of the time without a connection have sent their notifications already.
        else wake()
      } catch (error) {
        log.warn({ err: error }, 'could not listen for changes: streams are fed by polling')
        await reconnect()
      }
    }
    const close = async (): Promise<void> => {
      const former = source
      source = undefined
      if (former?.isInitialized) await closeDatabase(former)
    }
    const reconnect = async (): Promise<void> => {
      if (!source && stopped) return
      await close().catch(() => {})
      if (!stopped) setTimeout(() => !stopped && connect(), reconnectMs).unref()
    }
    connect()
    return () => {
      stopped = true
      close().catch(() => {})
    }
  }
}
