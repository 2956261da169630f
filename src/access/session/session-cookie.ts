import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Response } from 'express'
import { hostOf, isLoopback } from '../../start/loopback.ts'

/** A cookie of this server: its name and the attributes that depend on PUBLIC_URL. */
export interface Cookie {
  name: string
  path: string
  secure: boolean
  sameSite: 'strict' | 'lax'
}

/**
 * The cookie of a session. Browsers take a cookie with the prefix `__Host-` from this host over TLS only (RFC 6265bis §4.1.3).
 * Under a path the prefix is `__Secure-`. Cookies ignore ports, so the name holds the port on the own machine and without TLS.
 */
export function sessionCookie(publicUrl: string): Cookie {
  const { path, secure, suffix } = surroundingsOf(publicUrl)
  const prefix = path === '/' ? '__Host-' : '__Secure-'
  return { name: suffix ? `session${suffix}` : `${prefix}session`, path, secure, sameSite: 'strict' }
}

/** A cookie for one path. The browser comes to that path from another site, so the cookie is not `Strict`. */
export function pathCookie(publicUrl: string, name: string, path: string): Cookie {
  const { path: root, secure, suffix } = surroundingsOf(publicUrl)
  const whole = suffix ? name + suffix : `__Secure-${name}`
  return { name: whole, path: root === '/' ? path : root + path, secure, sameSite: 'lax' }
}

function surroundingsOf(publicUrl: string): { path: string; secure: boolean; suffix: string } {
  const url = new URL(publicUrl)
  const secure = url.protocol === 'https:'
  const port = url.port || (secure ? '443' : '80')
  return { path: url.pathname, secure, suffix: secure && !isLoopback(hostOf(url)) ? '' : `-${port}` }
}

/**
 * The value of a cookie. Two cookies of one name come from two paths or domains, so one of them is foreign: neither counts.
 */
export function readCookie({ cookie }: IncomingHttpHeaders, name: string): string | undefined {
  const values = (cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
  return values.length === 1 ? values[0].slice(name.length + 1) : undefined
}

/** @param seconds how long the browser keeps it; 0 removes it */
export function setCookie(response: Response, cookie: Cookie, value: string, seconds: number): void {
  const { name, path, secure, sameSite } = cookie
  response.cookie(name, value, { path, secure, sameSite, httpOnly: true, maxAge: seconds * 1000, encode: String })
}

/** The secret of a new session: 256 random bits. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Whether a text has the form of a secret. */
export function isSecret(text: string | undefined): text is string {
  return text !== undefined && /^[\w-]{43}$/.test(text)
}
