/** A condition of SQL, with `:names` for its values. */
export interface Condition {
  sql: string
  values: Record<string, unknown>
}

/** One of the values; the list may need a cast. */
export const among = (column: string, key: string, values: unknown[], cast = ''): Condition => ({
  sql: `${column} = ANY(:${key}${cast})`,
  values: { [key]: values },
})

/** A condition for each value, of which one must hold. */
export function either(values: string[], key: string, one: (value: string, key: string) => Condition): Condition {
  const conditions = values.map((value, index) => one(value, `${key}x${index}`))
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(' OR ')})`,
    values: Object.assign({}, ...conditions.map((condition) => condition.values)),
  }
}

/** One comparison a value, since a trigram index does not serve ILIKE ANY. */
export function containing(column: string, key: string, values: string[]): Condition {
  return either(values, key, (value, at) => ({
    sql: `${column} ILIKE :${at}`,
    values: { [at]: `%${value.replace(/[\\%_]/g, '\\$&')}%` },
  }))
}
