import { OrganizationUser, User } from '../../entities/index.ts'
import { type Call, Problem, TenantScope, writeRows } from '../hydra/index.ts'
import type { Identity } from './callers.ts'

/** The user of the caller's token. The first request that needs a user creates it. */
export async function ensureUser(call: Call): Promise<User> {
  const { bearer } = call.caller as Identity
  if (!bearer) throw new Problem(401, 'This operation needs a bearer token.', { 'WWW-Authenticate': 'Bearer' })
  const { issuer, subject, name, email, issuedAt } = bearer
  const user = Object.assign(new User(), {
    issuer,
    subject,
    name: name ?? email ?? subject,
    email: email ?? null,
    claimsAt: issuedAt === undefined ? null : new Date(issuedAt * 1000),
    version: 1,
  })
  const { manager } = call
  const insert = manager
    .createQueryBuilder()
    .insert()
    .into(User)
    .values(user as object)
    .orIgnore()
  await writeRows(manager, insert.updateEntity(false))
  return manager.findOneByOrFail(User, { issuer, subject })
}

/** Whether the caller's token acts for an organization that its user has just joined. */
export async function tokenActsFor(
  { caller, manager }: Call,
  userId: string,
  organizationId: string,
): Promise<boolean> {
  const { bearer } = caller as Identity
  const current = caller.tenant ?? bearer?.tenant
  if (current) return current === organizationId
  const count = await TenantScope.every.run(manager, (everywhere) =>
    everywhere.countBy(OrganizationUser, { userId, status: 'active' }),
  )
  return count === 1
}

/**
 * Only owners grant or take the owner role.
 * @throws Problem 403 when the change concerns the owner role and the caller is not an owner
 */
export function requireOwnerFor(concernsOwnerRole: boolean, callerRole: string): void {
  if (concernsOwnerRole && callerRole !== 'owner')
    throw new Problem(403, 'Only an owner may grant or take the owner role.')
}
