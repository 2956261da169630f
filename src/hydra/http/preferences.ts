import type { IncomingHttpHeaders } from 'node:http'
import { elementsOf, pairOf } from './header-list.ts'

/** A request is asked for its preferences several times; its header is read once. */
const read = new WeakMap<IncomingHttpHeaders, Map<string, string>>()

/** What a Prefer header asks for, by lower-case names; of a preference that is given twice, the first counts (RFC 7240 §2). */
export function preferencesOf(header: string): Map<string, string> {
  const preferences = new Map<string, string>()
  for (const { item } of elementsOf(header)) {
    const [name, value] = pairOf(item)
    if (name && !preferences.has(name)) preferences.set(name, value.toLowerCase())
  }
  return preferences
}

/** Whether the client asks for nothing to be ignored: unknown properties, read-only properties, unknown parameters. */
export function isStrict(headers: IncomingHttpHeaders): boolean {
  return preferred(headers, 'handling') === 'strict'
}

/** Whether the client needs no document of what it has written, only its validator. */
export function prefersMinimal(headers: IncomingHttpHeaders): boolean {
  return preferred(headers, 'return') === 'minimal'
}

function preferred(headers: IncomingHttpHeaders, name: string): string | undefined {
  if (headers.prefer === undefined) return undefined
  const preferences = read.get(headers) ?? preferencesOf(headers.prefer as string)
  read.set(headers, preferences)
  return preferences.get(name)
}
