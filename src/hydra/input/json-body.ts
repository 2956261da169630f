import { Problem } from '../model/problem.ts'

/** How deep a document may nest, so that no recursive reader runs out of stack. */
const deepest = 32

/** Reads a JSON object from the bytes of a body; throws Problem 400 saying why it is none. */
export function parseBody(bytes: Buffer | undefined): Record<string, unknown> | unknown[] {
  const text = decodeText(bytes)
  if (text.trim() === '') throw new Problem(400, 'The body is empty; a JSON object is expected.')
  checkDepth(text)
  const value = parse(text)
  if (typeof value !== 'object' || value === null) throw new Problem(400, 'The body must be a JSON object.')
  return value as Record<string, unknown> | unknown[]
}

/** Why a value cannot be stored by Postgres, or not be read by class-transformer, as it is; undefined when it can. */
export function unstorableIn(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'must not contain the character U+0000'
    return value.isWellFormed() ? undefined : 'must not contain half of a surrogate pair'
  }
  if (typeof value !== 'object' || value === null) return undefined
  const misleading = ['__proto__', 'constructor'].find((key) => Object.hasOwn(value, key))
  if (misleading) return `must not have a key named "${misleading}"`
  return Object.entries(value).flat().map(unstorableIn).find(Boolean)
}

/** Composes every text in a value (NFC), so that what looks the same is the same. */
export function normalizeText(value: unknown): unknown {
  if (typeof value === 'string') return value.normalize('NFC')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(normalizeText)
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key.normalize('NFC'), normalizeText(held)]))
}

/** The text of a body; throws Problem 400 when it is none. */
export function decodeText(bytes: Buffer = Buffer.alloc(0)): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Problem(400, 'The body is not valid UTF-8.')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Problem(400, `The body is not valid JSON: ${(error as Error).message}`)
  }
}

/** Refuses JSON that nests too deeply before anything recursive reads it. */
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
      if (++depth > deepest) throw new Problem(400, `The body is nested more than ${deepest} levels deep.`)
    } else if (character === '}' || character === ']') depth--
  }
}
