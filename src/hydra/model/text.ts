import { Problem } from './problem.ts'

/** The deepest nesting of a document. The limit keeps recursive functions from overflowing the stack. */
const maxDepth = 32

/** The reason why Postgres cannot store a value or class-transformer cannot read it; undefined for valid values. */
export function unstorableIn(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'must not contain the character U+0000'
    return value.isWellFormed() ? undefined : 'must not contain half of a surrogate pair'
  }
  if (typeof value !== 'object' || value === null) return undefined
  const unsafe = ['__proto__', 'constructor'].find((key) => Object.hasOwn(value, key))
  if (unsafe) return `must not have a key named "${unsafe}"`
  return Object.entries(value).flat().map(unstorableIn).find(Boolean)
}

/** Composes every text in a value (Unicode NFC), so that texts that look the same are equal. */
export function normalizeText(value: unknown): unknown {
  if (typeof value === 'string') return value.normalize('NFC')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(normalizeText)
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key.normalize('NFC'), normalizeText(held)]))
}

/** Rejects JSON that nests too deeply, before any recursive function reads it. @throws Problem 400 */
export function checkDepth(text: string): void {
  let depth = 0
  let quoted = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (quoted) {
      if (character === '\\') index++
      else if (character === '"') quoted = false
    } else if (character === '"') quoted = true
    else if (character === '{' || character === '[') {
      if (++depth > maxDepth) throw new Problem(400, `The body is nested more than ${maxDepth} levels deep.`)
    } else if (character === '}' || character === ']') depth--
  }
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether a text is a uuid in its canonical spelling. */
export function isUuid(text: string): boolean {
  return uuidForm.test(text)
}
