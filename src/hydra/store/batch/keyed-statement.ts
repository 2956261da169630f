import type { QueryResult } from 'pg'
import type { Executor, KeyedRead, ReadKey, ReadRow } from '../../model/store.ts'
import { isUuid, unstorableIn } from '../../model/text.ts'
import { type Statement, statement } from '../statement.ts'
import { TenantScope } from '../tenant-scope.ts'

/** The types that a member of a key may have. */
export type KeyType = 'uuid' | 'text' | 'bytea'

/** The SQL of a statement that reads rows by key. */
export interface KeyedText {
  /** Unique per text. */
  name: string
  /** SQL that reads one key; `:name` stands for a member of the key. */
  each: string
  /** The members of a key. */
  types: Record<string, KeyType>
  /** SQL that reads the keys of one scope, with `:ids`, and the column of its rows that holds the id of their key. */
  several?: { text: string; by: string }
  /** The most keys in a batch. */
  most?: number
  /** Whether the rows are lists of the texts that Postgres sends. */
  isSent?: boolean
  /** Whether its rows are those of any tenant: they are found by a secret, an identity or a user. */
  everyTenant?: boolean
}

const isOfType: Record<KeyType, (value: string) => boolean> = {
  uuid: isUuid,
  bytea: (value) => value.length <= 2048 && /^\\x([0-9a-f]{2})*$/.test(value),
  text: (value) => value.length <= 2048 && unstorableIn(value) === undefined,
}

/**
 * A statement that reads rows by key: one key as it is, or the keys of many callers at once. Then each key runs the whole
 * statement, scope included, in a lateral of its own. So a row answers only the caller whose key it was found by.
 */
export class KeyedStatement implements KeyedRead {
  readonly most: number
  readonly tenants: TenantScope | undefined
  private readonly name: string
  private readonly members: [name: string, type: KeyType][]
  private readonly scope: string[]
  private readonly one: Statement
  private readonly lateral: Statement
  private readonly several: Statement | undefined
  private readonly by: string
  private readonly isSent: boolean

  constructor({ name, each, types, several, most = 256, isSent, everyTenant }: KeyedText) {
    this.most = most
    this.tenants = everyTenant ? TenantScope.every : undefined
    this.by = several?.by ?? ''
    this.name = name
    const named = new Set(Array.from(each.matchAll(parameter), ([, name]) => name))
    this.members = Object.entries(types).filter(([member]) => named.has(member))
    this.scope = this.members.map(([member]) => member).filter((member) => member !== 'id')
    this.one = statement(name, each, { isSent, tenants: this.tenants })
    this.several = several && statement(`${name}:several`, several.text, { tenants: this.tenants })
    this.isSent = isSent === true
    this.lateral = statement(`${name}:batch`, lateral(each, this.members), { rowMode: 'array', isSent })
  }

  /** Reads keys of one caller, together with the reads of others while the request holds no connection. */
  read(executor: Executor, keys: ReadKey[]): Promise<ReadRow[]> {
    const { reads } = executor
    const isBatched = reads && keys.length <= this.most && keys.every((key) => this.accepts(key))
    return isBatched ? reads.read(this, keys) : this.alone(executor, keys)
  }

  /** Whether every member of a key has its type. Other keys could make the statement fail for the keys beside them. */
  private accepts(key: ReadKey): boolean {
    return (
      this.members.length > 0 &&
      this.members.every(([member, type]) => {
        const value = key[member]
        return typeof value === 'string' && isOfType[type](value)
      })
    )
  }

  get readsByScope(): boolean {
    return this.several !== undefined
  }

  scopeOf(key: ReadKey): string {
    return this.scope.map((member) => key[member]).join(' ')
  }

  async alone(executor: Executor, keys: ReadKey[]): Promise<ReadRow[]> {
    const [first] = keys
    if (keys.length === 1) return (await this.one(executor, first)).rows
    return (await this.ofScope(executor, keys)).rows
  }

  async together(executor: Executor, keys: ReadKey[]): Promise<ReadRow[][]> {
    const columns = this.members.map(([member]) => [member, keys.map((key) => key[member])])
    const result = await this.lateral(executor, Object.fromEntries(columns))
    return this.isSent ? sentRowsByKey(result, keys.length) : rowsByKey(result, keys.length)
  }

  async togetherInScope(executor: Executor, keys: ReadKey[]): Promise<ReadRow[][]> {
    const byId = new Map<unknown, ReadRow[]>()
    for (const row of (await this.ofScope(executor, keys)).rows) byId.set(row[this.by], [row])
    // Two keys may be equal; each gets a row of its own.
    return keys.map(({ id }) => (byId.get(id) ?? []).map((row) => ({ ...row })))
  }

  private ofScope(executor: Executor, keys: ReadKey[]): Promise<QueryResult> {
    if (!this.several) throw new Error(`The statement "${this.name}" reads one key at a time.`)
    return this.several(executor, { ...keys[0], ids: [...new Set(keys.map(({ id }) => id))] })
  }
}

/** A named parameter of a statement, and not a cast. */
const parameter = /(?<!:):(\w+)/g

/** The statement for many keys. The values of a scope stand inside the lateral only. */
function lateral(each: string, members: [name: string, type: KeyType][]): string {
  const lists = members.map(([member, type]) => `:${member}::${type}[]`).join(', ')
  const names = members.map(([member]) => `"${member}", `).join('')
  const known = new Set(members.map(([member]) => member))
  const found = each.replace(parameter, (text, member) => (known.has(member) ? `"batch"."${member}"` : text))
  return `SELECT "found".*, "batch"."n" FROM unnest(${lists}) WITH ORDINALITY AS "batch"(${names}"n"), LATERAL (${found}) AS "found"`
}

/** Divides rows, whose last column is the number of their key. Each row becomes an object, as `pg` makes it. */
function rowsByKey({ rows, fields }: QueryResult, count: number): ReadRow[][] {
  const names = fields.slice(0, -1).map(({ name }) => name)
  const empty: ReadRow = Object.fromEntries(names.map((name) => [name, null]))
  const found: ReadRow[][] = Array.from({ length: count }, () => [])
  for (const values of rows as unknown as unknown[][]) {
    const row = { ...empty }
    for (let n = 0; n < names.length; n++) row[names[n]] = values[n]
    found[Number(values[names.length]) - 1].push(row)
  }
  return found
}

/** Divides rows that stay lists of their values. */
function sentRowsByKey({ rows }: QueryResult, count: number): ReadRow[][] {
  const found: unknown[][][] = Array.from({ length: count }, () => [])
  for (const values of rows as unknown[][]) found[Number(values.pop()) - 1].push(values)
  return found as unknown as ReadRow[][]
}
