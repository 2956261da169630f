import pg, { type Client, type PoolConfig } from 'pg'
import { type Callback, type Columns, type NamedConfig, NamedQuery } from './named-query.ts'

/** The members of pg's own client that this one uses. */
declare class PgClient {
  query(query: unknown, values?: unknown, callback?: unknown): unknown
  getTypeParser(oid: number, format: string): unknown
}

/** A client that describes each named statement once. */
export class NamedStatementClient extends (pg.Client as unknown as typeof PgClient) {
  private readonly columns = new Map<string, Columns>()

  override query(config: unknown, values?: unknown, callback?: unknown): unknown {
    if (!isNamed(config) || Array.isArray(values)) return super.query(config, values, callback)
    const query = new NamedQuery(config, config.types ?? (this as never), this.columns)
    query.callback = (typeof values === 'function' ? values : callback) as Callback | undefined
    if (query.callback) return super.query(query)
    return new Promise((resolve, reject) => {
      query.callback = (error, result) => (error ? reject(error) : resolve(result))
      super.query(query)
    }).catch((error) => {
      // The stack leads to the caller, as with pg's own client.
      Error.captureStackTrace(error)
      throw error
    })
  }
}

function isNamed(config: unknown): config is NamedConfig {
  const { name, text, values, submit } = config as Partial<NamedConfig> & { submit?: unknown }
  return typeof submit !== 'function' && typeof text === 'string' && Array.isArray(values) && !!name
}

/** Settings of a pool whose address leads to Postgres itself. */
export const direct = {
  get Client() {
    return NamedStatementClient as unknown as new () => Client
  },
} satisfies PoolConfig
