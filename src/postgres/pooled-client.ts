import pg, { type Client, type PoolConfig } from 'pg'

/*
 * Behind a pooler each transaction may run on another connection of Postgres, so a session has no settings of its own. A client
 * of this kind sends its time limits with each transaction instead: a single statement is a transaction, too.
 */

/** Sets limits until the transaction ends, and the costs by which pages are planned. It is prepared once for each connection. */
const limiting = {
  name: 'pooled:limits',
  text: `SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true), set_config('random_page_cost', '1.1', true)`,
}

/** Sets limits, and how Postgres plans the statement of a batch. */
const limitingBatches = {
  name: 'pooled:batch-limits',
  text: `${limiting.text}, set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true)`,
}

/** Settings of a pool whose address leads to a pooler in transaction mode, such as PgBouncer. */
export const throughPooler = {
  get Client() {
    return PooledClient
  },
  onConnect: async (client: Pick<Client, 'query'>): Promise<void> => {
    await client.query({ ...limiting, values: ['0', '0'] })
  },
} satisfies PoolConfig

/** The same for a pool of batches. */
export const batchesThroughPooler = {
  get Client() {
    return PooledBatchClient
  },
  onConnect: async (client: Pick<Client, 'query'>): Promise<void> => {
    await client.query({ ...limitingBatches, values: ['0', '0'] })
  },
} satisfies PoolConfig

type Callback = (error: Error | null | undefined, result?: unknown) => void

type Config = string | { name?: string; text: string; query_timeout?: number }

/** The members of pg's own query that a query of another kind overrides. */
declare class PgQuery {
  constructor(config: Config, values?: unknown, callback?: unknown)
  name?: string
  text: string
  queryMode?: string
  callback?: Callback
  submit(connection: PgConnection): Error | null
  prepare(connection: PgConnection): void
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: PgConnection): void
}

interface PgConnection {
  bind(message: { statement: string; values: string[] }): void
  execute(message: object): void
}

/** The members of pg's own client that a client of another kind overrides. */
declare class PgClient {
  connectionParameters: { [setting: string]: unknown }
  getStartupConf(): Record<string, string>
  getTransactionStatus(): string | null
  query(query: unknown, values?: unknown, callback?: unknown): unknown
}

const BaseQuery = pg.Query as unknown as typeof PgQuery
const BaseClient = pg.Client as unknown as typeof PgClient

/** Starts a transaction, which then needs its limits. */
const startsTransaction = /^\s*(START\s+TRANSACTION|BEGIN)\b/i

/** A query that sets the limits of its transaction in the same round trip, unless a transaction is open already. */
class LimitedQuery extends BaseQuery {
  /** Whether the next row and the next completed command belong to the statement that sets the limits. */
  private limits = false
  readonly query_timeout: number | undefined

  constructor(
    private readonly client: LimitingClient,
    config: Config,
    values?: unknown,
    callback?: unknown,
  ) {
    super(config, values, callback)
    this.query_timeout = typeof config === 'object' ? config.query_timeout : undefined
  }

  override submit(connection: PgConnection): Error | null {
    if (this.client.getTransactionStatus() === 'I' && this.name !== this.client.limiting.name) {
      if (startsTransaction.test(this.text)) this.text += this.client.limitsOfTransaction
      else {
        // One implicit transaction spans all messages until the next Sync, so the limits hold for this statement only.
        this.queryMode = 'extended'
        this.limits = true
      }
    }
    return super.submit(connection)
  }

  override prepare(connection: PgConnection): void {
    if (this.limits) {
      connection.bind({ statement: this.client.limiting.name, values: this.client.limitsOfStatement })
      connection.execute({})
    }
    super.prepare(connection)
  }

  override handleDataRow(message: unknown): void {
    if (!this.limits) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, connection: PgConnection): void {
    if (this.limits) this.limits = false
    else super.handleCommandComplete(message, connection)
  }
}

/** A client whose startup message has only parameters that poolers accept, and whose queries carry their limits. */
class LimitingClient extends BaseClient {
  /** The statement that precedes each other one. */
  readonly limiting: { name: string; text: string } = limiting

  get limitsOfStatement(): string[] {
    return [this.limit('statement_timeout'), this.limit('lock_timeout')]
  }

  get limitsOfTransaction(): string {
    return ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
      .map((name) => `; SET LOCAL ${name} = ${this.limit(name)}`)
      .join('')
  }

  override getStartupConf(): Record<string, string> {
    const { statement_timeout, lock_timeout, idle_in_transaction_session_timeout, ...accepted } = super.getStartupConf()
    return { ...accepted, TimeZone: 'UTC' }
  }

  override query(config: Config, values?: unknown, callback?: unknown): unknown {
    const query = new LimitedQuery(this, config, values, callback)
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

  private limit(name: string): string {
    return `${Number(this.connectionParameters[name]) || 0}`
  }
}

class LimitingBatchClient extends LimitingClient {
  override readonly limiting = limitingBatches
}

const PooledClient = LimitingClient as unknown as new () => Client
const PooledBatchClient = LimitingBatchClient as unknown as new () => Client
