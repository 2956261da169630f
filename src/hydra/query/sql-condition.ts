import type { Condition } from '../model/filter.ts'
import { fold, wordsOf } from './fold-text.ts'

/** One of the values; the list may need a cast. */
export const isOneOf = (column: string, key: string, values: unknown[], cast = ''): Condition => ({
  sql: `${column} = ANY(:${key}${cast})`,
  values: { [key]: values },
})

/** One of the ids that a column with a foreign key may have. */
export function isOneOfIds(column: string, name: string, key: string, ids: string[]): Condition {
  const several = isOneOf(column, key, ids)
  if (ids.length !== 1) return several
  return { ...several, equal: { column: name, condition: { sql: `${column} = :${key}`, values: { [key]: ids[0] } } } }
}

/** One of the values in any case, as an index on `lower(column)` has it; Postgres folds both, so they are folded alike. */
export const isOneOfCaseless = (column: string, key: string, values: string[]): Condition => ({
  sql: `lower(${column}) = ANY(ARRAY(SELECT lower(unnest(:${key}::text[]))))`,
  values: { [key]: values },
  leaks: true,
})

/** A condition for each value, of which one must hold. */
function either(values: string[], key: string, one: (value: string, key: string) => Condition): Condition {
  const conditions = values.map((value, index) => one(value, `${key}x${index}`))
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(' OR ')})`,
    values: Object.assign({}, ...conditions.map((condition) => condition.values)),
    text: true,
    leaks: true,
  }
}

/**
 * Parts of a column's text, in any case. A trigram index does not serve ILIKE ANY, so each value is compared on its own.
 * @param folded the column that holds the same text folded: cheaper to look at, and with an index
 */
export function containsText(column: string, key: string, values: string[], folded?: string): Condition {
  return either(values, key, (value, at) => {
    const exactly = { sql: `${column} COLLATE "default" ILIKE :${at}`, values: { [at]: part(value) } }
    const plain = fold(value).trim()
    if (!folded || plain === '') return exactly
    return {
      sql: `(${folded} LIKE :${at}f AND ${exactly.sql})`,
      values: { ...exactly.values, [`${at}f`]: part(plain) },
    }
  })
}

/**
 * Every word of a value, each somewhere in a folded column. Short words without marks are looked for at the beginnings of
 * words, as only there a trigram index finds them.
 */
export function containsWords(folded: string, key: string, values: string[]): Condition {
  return either(values, key, (value, at) => {
    const words = wordsOf(fold(value))
    const patterns = words.map((word) => (isShort(word) ? `% ${word}%` : part(word)))
    return {
      sql: `(${patterns.map((_, index) => `${folded} LIKE :${at}w${index}`).join(' AND ')})`,
      values: Object.fromEntries(patterns.map((pattern, index) => [`${at}w${index}`, pattern])),
    }
  })
}

/** Parts of the text of a row in memory, without regard to case and accents. */
export function containsTextInMemory(text: (row: { id: string }) => string, values: string[]): Condition {
  const parts = values.map(fold)
  return inMemory((row) => {
    const folded = fold(text(row))
    return parts.some((part) => folded.includes(part))
  })
}

/** Every word of a value, each somewhere in the text of a row in memory; short words at the beginnings of words, as above. */
export function containsWordsInMemory(text: (row: { id: string }) => string, values: string[]): Condition {
  const wanted = values.map((value) => wordsOf(fold(value)).map((word) => (isShort(word) ? ` ${word}` : word)))
  return inMemory((row) => {
    const folded = ` ${fold(text(row))}`
    return wanted.some((words) => words.every((word) => folded.includes(word)))
  })
}

const inMemory = (holds: Condition['holds']): Condition => ({ sql: 'true', values: {}, holds })

const isShort = (word: string) => /^[\p{L}\p{N}]{1,2}$/u.test(word)

const part = (text: string) => `%${text.replace(/[\\%_]/g, '\\$&')}%`
