import pg from 'pg'
import type { Setting } from './admission.ts'
import { executionMessage } from './execution-message.ts'

/** The function that a query of pg calls with its result. */
export type Callback = (error: Error | null | undefined, result?: unknown) => void

/** A statement with a name, its values, and how its rows are returned. */
export interface NamedConfig {
  name: string
  text: string
  values: unknown[]
  types?: Parsers
  rowMode?: 'array'
  query_timeout?: number
}

type Parsers = Pick<typeof pg.types, 'getTypeParser'>
type Parse = (text: string) => unknown

/** The members of pg's connection that a query uses. */
interface Connection {
  parsedStatements: Record<string, string | undefined>
  submittedNamedStatements: Record<string, string | undefined>
  stream: { cork(): void; uncork(): void; writable: boolean; write(bytes: Buffer): void }
  parse(message: { name: string; text: string }): void
  bind(message: { statement: string; values: unknown[]; valueMapper?(value: unknown): unknown }): void
  describe(message: { type: 'P'; name: string }): void
  execute(message: object): void
  sync(): void
  sendCopyFail(message: string): void
}

/** The columns of a statement's rows, as one connection knows them. */
export interface Columns {
  fields: { name: string; dataTypeID: number }[]
  names: string[]
  parsers: Parse[]
  types: Parsers
}

/** Makes the text of a value, or its bytes. pg's types lack this member. */
const { prepareValue } = (pg as unknown as { utils: { prepareValue(value: unknown): unknown } }).utils

/**
 * A query of a named statement. Postgres describes the rows of a statement on its first use in a connection. Later uses send one
 * message without that question. pg's own query asks each time, and takes a quarter of a short request for itself.
 */
export class NamedQuery {
  readonly name: string
  readonly text: string
  readonly query_timeout: number | undefined
  callback: Callback | undefined
  private columns: Columns | undefined
  private readonly rows: unknown[] = []
  private rowCount: number | null = null
  private command = ''
  private failure: Error | undefined
  /** How many of the next completed commands belong to settings. */
  private pending = 0

  /**
   * @param known the columns of the statements that the connection has run, by name
   * @param settingsFor what precedes the statement in its transaction
   */
  constructor(
    private readonly config: NamedConfig,
    private readonly types: Parsers,
    private readonly known: Map<string, Columns>,
    private readonly settingsFor: () => Setting[] = () => [],
  ) {
    this.name = config.name
    this.text = config.text
    this.query_timeout = config.query_timeout
  }

  /** @returns the error of a statement that cannot be sent */
  submit(connection: Connection): Error | null {
    const { name, text, config } = this
    const parsed = connection.parsedStatements[name] ?? connection.submittedNamedStatements[name]
    if (parsed !== undefined && parsed !== text)
      return new Error(`Prepared statements must be unique - '${name}' was used for a different statement`)
    const columns = this.known.get(name)
    let values: unknown[]
    try {
      values = config.values.map((value) => prepareValue(value))
    } catch (error) {
      return error as Error
    }
    // One implicit transaction spans all messages until the next Sync, so the settings hold for this statement only.
    const settings = this.settingsFor()
    this.pending = settings.length
    if (parsed !== undefined && columns?.types === this.types && values.every(isText)) {
      this.columns = columns
      const message = executionMessage([...settings, { statement: name, values }])
      if (connection.stream.writable) connection.stream.write(message)
      return null
    }
    connection.stream.cork()
    try {
      this.sendWithQuestion(connection, settings, parsed === undefined, values)
    } finally {
      connection.stream.uncork()
    }
    return null
  }

  private sendWithQuestion(connection: Connection, settings: Setting[], isNew: boolean, values: unknown[]): void {
    const { name, text } = this
    for (const setting of settings) {
      connection.bind(setting)
      connection.execute({})
    }
    if (isNew) {
      connection.parse({ name, text })
      connection.submittedNamedStatements[name] = text
    }
    connection.bind({ statement: name, values, valueMapper: (value) => value })
    connection.describe({ type: 'P', name: '' })
    connection.execute({})
    connection.sync()
  }

  handleRowDescription({ fields }: Pick<Columns, 'fields'>): void {
    const { types } = this
    this.columns = {
      fields,
      names: fields.map(({ name }) => name),
      parsers: fields.map(({ dataTypeID }) => types.getTypeParser(dataTypeID, 'text') as Parse),
      types,
    }
    this.known.set(this.name, this.columns)
  }

  handleDataRow({ fields: texts }: { fields: (string | null)[] }): void {
    if (this.failure || this.pending > 0) return
    const { names, parsers } = this.columns as Columns
    try {
      const values = texts as unknown[]
      for (let n = 0; n < texts.length; n++) {
        const text = texts[n]
        if (text !== null) values[n] = parsers[n](text)
      }
      this.rows.push(this.config.rowMode === 'array' ? values : rowOf(names, values))
    } catch (error) {
      this.failure = error as Error
    }
  }

  /** Reads a tag such as `INSERT 0 1` or `SELECT 30`. */
  handleCommandComplete({ text }: { text: string }): void {
    if (this.pending > 0) {
      this.pending--
      return
    }
    const space = text.indexOf(' ')
    this.command = space < 0 ? text : text.slice(0, space)
    this.rowCount = space < 0 ? null : Number(text.slice(text.lastIndexOf(' ') + 1))
    // A statement without rows has no columns to describe, either.
    if (!this.columns) this.handleRowDescription({ fields: [] })
  }

  handleReadyForQuery(): void {
    const { command, rowCount, rows, failure, columns } = this
    const result = { command, rowCount, oid: null, rows, fields: columns?.fields ?? [] }
    try {
      this.callback?.(failure, failure ? undefined : result)
    } catch (error) {
      // The connection goes on reading its messages, as with pg's own query.
      process.nextTick(() => {
        throw error
      })
    }
  }

  handleError(error: Error): void {
    this.callback?.(this.failure ?? error)
  }

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  handleCopyInResponse(connection: Connection): void {
    connection.sendCopyFail('No source stream defined')
  }

  handleCopyData(): void {}
}

function rowOf(names: string[], values: unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let n = 0; n < names.length; n++) row[names[n]] = values[n]
  return row
}

function isText(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}
