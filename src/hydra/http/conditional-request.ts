import { hash } from 'node:crypto'
import { Problem } from '../model/problem.ts'

/** A strong validator of a body (RFC 9110 §8.8.3); an item's starts with its version, which PATCH is checked against. */
export function etagOf(body: string, version?: number): string {
  const digest = hash('sha1', body, 'base64url')
  return version === undefined ? `"${digest}"` : `"${version}-${digest}"`
}

/** False when If-None-Match names this ETag: the client has the representation already (RFC 9110 §13.1.2). */
export function satisfiesIfNoneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return true
  return !tags(header).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)
}

/** True when If-Match is absent or names this ETag; a weak one never matches (RFC 9110 §13.1.1). */
export function satisfiesIfMatch(header: string | undefined, etag: string): boolean {
  return header === undefined || tags(header).some((tag) => tag === '*' || tag === etag)
}

/**
 * Checks If-Match against the version of what would be changed (RFC 9110 §13.1.1).
 * @throws Problem 412 when somebody else has changed it since
 */
export function requireMatch(header: string | undefined, version: number | undefined): void {
  if (header === undefined) return
  const matches = tags(header).some((tag) => tag === '*' || Number(/^"(\d+)-[\w-]+"$/.exec(tag)?.[1]) === version)
  if (!matches) throw new Problem(412, 'The resource has changed since the ETag in If-Match was given: read it again.')
}

/**
 * Checks If-None-Match against the version of what would be changed, weak validators too (RFC 9110 §13.1.2).
 * @throws Problem 412 when that is the state that must not be changed
 */
export function requireNoneMatch(header: string | undefined, version: number | undefined): void {
  if (header === undefined) return
  const named = tags(header).some((tag) => tag === '*' || Number(/^(?:W\/)?"(\d+)-[\w-]+"$/.exec(tag)?.[1]) === version)
  if (named)
    throw new Problem(
      412,
      'If-None-Match names the present state, so nothing was done: leave it out, or send If-Match.',
    )
}

function tags(header: string): string[] {
  return header.trim() === '*' ? ['*'] : (header.match(/(?:W\/)?"[^"]*"/g) ?? [])
}
