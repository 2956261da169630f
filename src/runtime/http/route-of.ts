import type { Response } from 'express'

/**
 * The template of the path that a request has matched, such as `/meetings/{id}`; "none" for a path that does not exist. It has no
 * value of a client, so there are only as many as routes.
 */
export function routeOf({ locals, req: { route } }: Response): string {
  return locals?.route ?? (typeof route?.path === 'string' ? route.path : 'none')
}
