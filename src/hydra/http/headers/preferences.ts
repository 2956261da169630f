import type { IncomingHttpHeaders } from 'node:http'
import { elementsOf, pairOf } from './header-list.ts'

/** Parsed Prefer headers: one request looks its preferences up several times. */
const parsed = new WeakMap<IncomingHttpHeaders, Map<string, string>>()

/** The preferences of a Prefer header by lower-case name; the first of two equal names counts (RFC 7240 §2). */
export function preferencesOf(header: string): Map<string, string> {
  const preferences = new Map<string, string>()
  for (const { item } of elementsOf(header)) {
    const [name, value] = pairOf(item)
    if (name && !preferences.has(name)) preferences.set(name, value.toLowerCase())
  }
  return preferences
}

/** Whether the client prefers `handling=strict`: unknown parameters, unknown properties and read-only properties are errors. */
export function isStrict(headers: IncomingHttpHeaders): boolean {
  return preferred(headers, 'handling') === 'strict'
}

/** Whether the client prefers `return=minimal`: the response to a change has an ETag but no document. */
export function prefersMinimal(headers: IncomingHttpHeaders): boolean {
  return preferred(headers, 'return') === 'minimal'
}

function preferred(headers: IncomingHttpHeaders, name: string): string | undefined {
  if (headers.prefer === undefined) return undefined
  const preferences = parsed.get(headers) ?? preferencesOf(headers.prefer as string)
  parsed.set(headers, preferences)
  return preferences.get(name)
}
