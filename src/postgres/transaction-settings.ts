import pg, { type PoolConfig } from 'pg'
import type { RowSecurity } from './row-security.ts'

/*
 * Settings that hold for one transaction: the tenants whose rows it may touch, and time limits behind a pooler. A client of this
 * kind sends them with each transaction in the same round trip. A single statement is a transaction, too.
 */

/**
 * Admits tenants to the transaction. It is prepared once for each connection. Its condition is never true, so Postgres sends no
 * row back, which would repeat the tenants of a whole batch.
 */
export const admitting = { name: 'tenants', text: `SELECT WHERE set_config('app.tenants', $1, true) IS NULL` }

type Callback = (error: Error | null | undefined, result?: unknown) => void

/** The tenants whose rows a statement may touch: ids with commas between them, or `*`. */
export interface Scope {
  readonly text: string
}

type Config = string | { name?: string; text: string; query_timeout?: number; scope?: Scope }

/** A prepared statement that is run before another one, in the same transaction. */
export interface Setting {
  statement: string
  values: string[]
}

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
  bind(message: Setting): void
  execute(message: object): void
}

/** The members of pg's own client that a client of another kind overrides. */
declare class PgClient {
  constructor(config?: PoolConfig & { rowSecurity?: RowSecurity })
  connectionParameters: { [setting: string]: unknown }
  getStartupConf(): Record<string, string>
  getTransactionStatus(): string | null
  query(query: unknown, values?: unknown, callback?: unknown): unknown
}

const BaseQuery = pg.Query as unknown as typeof PgQuery
const BaseClient = pg.Client as unknown as typeof PgClient

/** Starts a transaction, which then needs its settings. */
const startsTransaction = /^\s*(START\s+TRANSACTION|BEGIN)\b/i

/** Statements that touch no row, and must not come after one that takes a snapshot. */
const controlsTransaction = /^\s*(COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|RESET|DEALLOCATE|DISCARD|(UN)?LISTEN)\b/i

/** A statement of this kind takes back what was set since its savepoint. */
const returnsToSavepoint = /^\s*ROLLBACK\s+TO\b/i

/** A query that sets what its transaction needs in the same round trip. */
class SettingQuery extends BaseQuery {
  /** How many of the next completed commands belong to settings. */
  private pending = 0
  private settings: Setting[] = []
  private readonly scope: Scope | undefined
  readonly query_timeout: number | undefined

  constructor(
    private readonly client: SettingClient,
    config: Config,
    values?: unknown,
    callback?: unknown,
  ) {
    super(config, values, callback)
    this.query_timeout = typeof config === 'object' ? config.query_timeout : undefined
    this.scope = typeof config === 'object' ? config.scope : undefined
  }

  override submit(connection: PgConnection): Error | null {
    const { client, scope } = this
    if (client.getTransactionStatus() === 'I' && startsTransaction.test(this.text))
      this.text += client.settingsOfTransaction(client.tenantsOf(scope))
    else this.settings = client.settingsFor({ name: this.name, text: this.text, scope })
    if (this.settings.length > 0) {
      // One implicit transaction spans all messages until the next Sync, so the settings hold for this statement only.
      this.queryMode = 'extended'
      this.pending = this.settings.length
    }
    return super.submit(connection)
  }

  override prepare(connection: PgConnection): void {
    for (const setting of this.settings) {
      connection.bind(setting)
      connection.execute({})
    }
    super.prepare(connection)
  }

  override handleDataRow(message: unknown): void {
    if (this.pending === 0) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, connection: PgConnection): void {
    if (this.pending > 0) this.pending--
    else super.handleCommandComplete(message, connection)
  }
}

/** A client whose queries carry the tenants that they may touch, where row-level security is on. */
export class SettingClient extends BaseClient {
  /** The tenants that the borrower of the connection may touch, where a query names no others. */
  scope: Scope | undefined
  readonly rowSecurity: RowSecurity | undefined
  /** The tenants of the open transaction. */
  private admitted: string | undefined

  constructor(config?: PoolConfig & { rowSecurity?: RowSecurity }) {
    super(config)
    this.rowSecurity = config?.rowSecurity
  }

  /** The names of the statements that settings are made with. */
  get prepared(): string[] {
    return [admitting.name]
  }

  /** The tenants that a query with this scope sends; undefined where none are sent. */
  tenantsOf(scope: Scope | undefined): string | undefined {
    return this.rowSecurity?.isOn ? (scope ?? this.scope)?.text : undefined
  }

  /** The settings that precede a query in its transaction. */
  settingsFor({ name = '', text, scope }: { name?: string; text: string; scope?: Scope }): Setting[] {
    if (this.prepared.includes(name)) return []
    // The transaction has failed then, in most cases, and has the tenants of its savepoint again.
    if (returnsToSavepoint.test(text)) this.admitted = undefined
    const status = this.getTransactionStatus()
    if (status === 'I') return this.settingsOfStatement(this.tenantsOf(scope))
    return status === 'T' ? this.settingsWithin(this.tenantsOf(scope), text) : []
  }

  settingsOfStatement(tenants: string | undefined): Setting[] {
    return tenants === undefined ? [] : [{ statement: admitting.name, values: [tenants] }]
  }

  /** The statements after the start of a transaction. `SET LOCAL` takes no snapshot, so the isolation level can still be set. */
  settingsOfTransaction(tenants: string | undefined): string {
    this.admitted = tenants
    return tenants === undefined ? '' : `; SET LOCAL "app.tenants" = '${tenants}'`
  }

  /** The settings of a statement within a transaction: none where its tenants are those of the statement before it. */
  settingsWithin(tenants: string | undefined, text: string): Setting[] {
    if (tenants === undefined || tenants === this.admitted || controlsTransaction.test(text)) return []
    this.admitted = tenants
    return [{ statement: admitting.name, values: [tenants] }]
  }

  override query(config: Config & { submit?: unknown }, values?: unknown, callback?: unknown): unknown {
    // A query of another library, such as a COPY, sends its own messages.
    if (typeof config.submit === 'function') return super.query(config, values, callback)
    const query = new SettingQuery(this, config, values, callback)
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
