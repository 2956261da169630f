import { hash } from 'node:crypto'
import { Problem } from '../../model/problem.ts'
import type { Coding } from './content-coding.ts'

/** A strong ETag of a body (RFC 9110 §8.8.3). An item's ETag starts with its version, which PATCH and DELETE check. */
export function etagOf(body: string | Buffer, version?: number): string {
  const digest = hash('sha1', body, 'base64url')
  return version === undefined ? `"${digest}"` : `"${version}-${digest}"`
}

/** The ETag of a representation in a content coding, which has other bytes (RFC 9110 §8.8.3.3). */
export function etagIn(coding: Coding | undefined, etag: string): string {
  return coding ? `${etag.slice(0, -1)}-${coding}"` : etag
}

/** False when If-None-Match names this ETag: the client has the representation already (RFC 9110 §13.1.2). */
export function satisfiesIfNoneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return true
  return !tags(header).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)
}

/** True when If-Match is absent or names this ETag in any coding; a weak one never matches (RFC 9110 §13.1.1). */
export function satisfiesIfMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return true
  return tags(header).some((tag) => tag === '*' || tag === etag || tag.replace(/-(?:br|gzip)"$/, '"') === etag)
}

/**
 * Checks If-Match against the present version of an entity (RFC 9110 §13.1.1).
 * @throws Problem 412 when another request has changed the entity since
 */
export function requireMatch(header: string | undefined, version: number | undefined): void {
  if (header === undefined) return
  const matches = tags(header).some((tag) => tag === '*' || Number(/^"(\d+)-[\w-]+"$/.exec(tag)?.[1]) === version)
  if (!matches) throw new Problem(412, 'The resource has changed since the ETag in If-Match was issued. Read it again.')
}

/**
 * Checks If-None-Match against the present version of an entity; weak ETags count too (RFC 9110 §13.1.2).
 * @throws Problem 412 when the header names the present version
 */
export function requireNoneMatch(header: string | undefined, version: number | undefined): void {
  if (header === undefined) return
  const matches = tags(header).some(
    (tag) => tag === '*' || Number(/^(?:W\/)?"(\d+)-[\w-]+"$/.exec(tag)?.[1]) === version,
  )
  if (matches)
    throw new Problem(
      412,
      'If-None-Match names the present state, so nothing was changed: leave it out, or send If-Match.',
    )
}

function tags(header: string): string[] {
  return header.trim() === '*' ? ['*'] : (header.match(/(?:W\/)?"[^"]*"/g) ?? [])
}
