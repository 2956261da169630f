import type { Caller } from '../model/caller.ts'
import { indefiniteArticle } from '../model/labels.ts'
import type { Operation } from '../model/operation.ts'
import { Problem } from '../model/problem.ts'
import type { BoundApi } from './bound-api.ts'

/**
 * Checks that the caller may call the operation.
 * @throws Problem 401 without a token, 403 when the role or a read-only tenant forbids it
 */
export function authorize(api: BoundApi, operation: Operation, caller: Caller): void {
  if (api.permissions.allows(operation, caller)) return
  if (caller.role === api.roles.anonymous) throw tokenNeeded(caller)
  throw new Problem(403, refusalOf(api, operation, caller))
}

function refusalOf(api: BoundApi, operation: Operation, caller: Caller): string {
  const { role, reason, readOnlyReason } = caller
  if ((role === api.roles.guest || !api.permissions.admits(operation, caller)) && reason) return reason
  if (readOnlyReason && api.permissions.allows(operation, { role })) return readOnlyReason
  const allowed = api.permissions.rolesOf(operation).join(' or ')
  return operation.refusals?.[role] ?? `This is for the role ${allowed}; yours is ${role}.`
}

/** The tenant that the caller acts for. @throws Problem 401 without a token, 403 without a tenant */
export function requireTenant(api: BoundApi, { role, tenant, reason }: Caller): string {
  if (tenant) return tenant
  if (role === api.roles.anonymous) throw tokenNeeded({ reason })
  const { name } = api.tenancy
  throw new Problem(403, reason ?? `This is for callers who act for ${indefiniteArticle(name)} ${name}.`)
}

function tokenNeeded({ reason }: Pick<Caller, 'reason'>): Problem {
  const remedy = 'This needs a bearer token: send it as "Authorization: Bearer …".'
  return new Problem(401, reason ? `${remedy} ${reason}` : remedy, { 'WWW-Authenticate': 'Bearer' })
}
