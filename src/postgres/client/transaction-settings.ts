import pg, { type PoolConfig } from 'pg'
import type { RowSecurity } from '../row-security.ts'
import { type Admission, admitting, exempting, type Scope, type Setting } from './admission.ts'
import type { Callback } from './named-query.ts'

/*
 * Settings that hold for one transaction: the tenants whose rows it may touch, and time limits behind a pooler. A client of this
 * kind sends them with each transaction in the same round trip. A single statement is a transaction, too.
 */

type Config = string | ({ name?: string; text: string; query_timeout?: number } & Admission)

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
  private readonly admission: Admission
  readonly query_timeout: number | undefined

  constructor(
    private readonly client: SettingClient,
    config: Config,
    values?: unknown,
    callback?: unknown,
  ) {
    super(config, values, callback)
    this.query_timeout = typeof config === 'object' ? config.query_timeout : undefined
    this.admission = typeof config === 'object' ? { scope: config.scope, isExempt: config.isExempt } : {}
  }

  override submit(connection: PgConnection): Error | null {
    const { client, admission } = this
    if (client.getTransactionStatus() === 'I' && startsTransaction.test(this.text))
      this.text += client.settingsOfTransaction(client.tenantsOf(admission.scope))
    else this.settings = client.settingsFor({ name: this.name, text: this.text, ...admission })
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
    return [admitting.name, exempting.name]
  }

  /** The tenants that a query with this scope sends; undefined where none are sent. */
  tenantsOf(scope: Scope | undefined): string | undefined {
    return this.rowSecurity?.isOn ? (scope ?? this.scope)?.text : undefined
  }

  /** The settings that precede a query in its transaction. */
  settingsFor({ name = '', text, scope, isExempt }: { name?: string; text: string } & Admission): Setting[] {
    if (this.prepared.includes(name)) return []
    // The transaction has failed then, in most cases, and has the tenants of its savepoint again.
    if (returnsToSavepoint.test(text)) this.admitted = undefined
    const status = this.getTransactionStatus()
    if (status === 'I') return this.settingsOfStatement(this.admissionOf(scope, isExempt))
    return status === 'T' ? this.settingsWithin(this.tenantsOf(scope), text) : []
  }

  /** The settings of a single statement: its admission, and those that a client of another kind adds. */
  settingsOfStatement(admission: Setting[]): Setting[] {
    return admission
  }

  private admissionOf(scope: Scope | undefined, isExempt: boolean | undefined): Setting[] {
    const { isOn, listRole } = this.rowSecurity ?? {}
    if (isExempt && isOn && listRole) return [{ statement: exempting.name, values: [listRole] }]
    const tenants = this.tenantsOf(scope)
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
    return this.send(query)
  }

  /** Sends a query, which calls its callback, or else settles a promise. */
  protected send(query: { callback?: Callback }): unknown {
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
