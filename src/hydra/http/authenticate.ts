import type { Request, Response } from 'express'
import type { Caller } from '../model/caller.ts'
import { Problem } from '../model/problem.ts'

/** Identifies the caller of a request; throws Problem 401 when the credentials are invalid. */
export type Authenticate = (request: Request) => Promise<Caller>

/** How the application identifies callers and limits their requests. */
export interface AccessControl {
  authenticate: Authenticate
  rateLimiter?: RateLimiter
}

/** An operation with a rate limit of its own; `name` is the key that its requests are counted under. */
export interface SensitiveOperation {
  name: string
  window: 'minute' | 'hour'
}

/** Counts a request before it runs, and throws Problem 429 above the limit; the caller is undefined after an invalid token. */
export type RateLimiter = (
  request: Request,
  response: Response,
  caller: Caller | undefined,
  sensitive: SensitiveOperation | undefined,
) => Promise<void>

/** Identifies the caller, and counts the request where the application has rate limits. */
export function authenticate(
  { authenticate, rateLimiter }: AccessControl,
  request: Request,
  response: Response,
  sensitive?: SensitiveOperation,
): Promise<Caller> {
  return rateLimiter ? counted(rateLimiter, authenticate, request, response, sensitive) : authenticate(request)
}

/** Counts the request for its caller; a request with an invalid token counts for its IP address. */
async function counted(
  rateLimiter: RateLimiter,
  authenticate: Authenticate,
  request: Request,
  response: Response,
  sensitive: SensitiveOperation | undefined,
): Promise<Caller> {
  try {
    const caller = await authenticate(request)
    await rateLimiter(request, response, caller, sensitive)
    return caller
  } catch (error) {
    if (error instanceof Problem && error.status === 401) await rateLimiter(request, response, undefined, undefined)
    throw error
  }
}
