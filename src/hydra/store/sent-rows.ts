import type { EntityMetadata } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import type { Found, SentRow } from '../model/page.ts'
import type { Shape } from '../model/shape.ts'
import type { Search } from '../query/search.ts'
import { readerOf } from './statement.ts'

/** A column of a class: its type in Postgres, and the parser of its values. */
export interface SentColumn {
  type: string
  read(text: string): unknown
}

/** The OIDs of types. A column of another type is not written from its text. */
const oids: Record<string, number> = {
  boolean: 16,
  bigint: 20,
  smallint: 21,
  integer: 23,
  text: 25,
  json: 114,
  date: 1082,
  'timestamp with time zone': 1184,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
}
const textArray = 1009

/**
 * The columns of a class whose values can be read from the texts that Postgres sends, by property. Rows have their values in this
 * order.
 * @param shown the columns that are read; all when absent
 */
export function sentColumns(metadata: EntityMetadata, shown?: Set<string>): Map<string, SentColumn> {
  const driver = metadata.connection.driver as PostgresDriver
  return new Map(
    metadata.columns.flatMap((column) => {
      const type = driver.normalizeType(column)
      const oid = !column.isArray ? oids[type] : type === 'text' ? textArray : undefined
      const isRead = column.isSelect && (shown?.has(column.propertyName) ?? true)
      if (oid === undefined || !isRead) return []
      return [[column.databaseName, { type: column.isArray ? `${type}[]` : type, read: readerOf(oid) }]]
    }),
  )
}

/** The columns that an item is serialized from; undefined where a getter computes a property from other columns. */
export function shownColumns({ class: type, fields, links }: Shape, { sortable }: Search): Set<string> | undefined {
  const isComputed = fields.some(({ name }) => Object.getOwnPropertyDescriptor(type.prototype, name)?.get)
  if (isComputed || links.size > 0) return undefined
  return new Set(['id', 'version', ...sortable, ...fields.map(({ name, key }) => key ?? name)])
}

/** Makes an entity from a row of texts. */
export type ReadRow<E> = (row: SentRow) => E

/** The rows of a page as Postgres sent them. They become entities when one is asked for. */
export class SentPage<E extends object> implements Found<E> {
  readonly total: number
  readonly limited: boolean
  readonly earlier: boolean
  readonly later: boolean
  private made: E[] | undefined

  constructor(
    private readonly rows: SentRow[],
    private readonly read: ReadRow<E>,
    { total, limited, earlier, later }: Pick<Required<Found<E>>, 'total' | 'limited' | 'earlier' | 'later'>,
  ) {
    this.total = total
    this.limited = limited
    this.earlier = earlier
    this.later = later
  }

  get entities(): E[] {
    this.made ??= this.rows.map(this.read)
    return this.made
  }

  /** Absent once there are entities: a handler may change them. */
  get sent(): SentRow[] | undefined {
    return this.made ? undefined : this.rows
  }

  get first(): E | undefined {
    return this.at(0)
  }

  get last(): E | undefined {
    return this.at(-1)
  }

  private at(index: number): E | undefined {
    const row = this.rows.at(index)
    return row && (this.made?.at(index) ?? this.read(row))
  }
}
