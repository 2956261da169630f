import { OrganizationUser, User } from '../../entities/index.ts'
import type { Identity } from '../access/callers.ts'
import type { Call } from '../hydra/call.ts'
import type { Operation } from '../hydra/operation.ts'
import { Problem } from '../hydra/problem.ts'

export const me: Operation<User> = {
  name: 'me',
  method: 'GET',
  path: '/me',
  title: () => 'Shows the user that the caller is',
  returns: 'item',
  statuses: [200, 304, 404],
  async handle(call) {
    if (!call.caller.user)
      throw new Problem(404, 'You have no user yet: create an organization, or accept an invitation.')
    return call.get(User, call.caller.user)
  },
}

/** Whether the caller's token acts for an organization that its user has just come to belong to. */
export async function actsFor({ caller, manager }: Call, userId: string, organization: string): Promise<boolean> {
  const { bearer } = caller as Identity
  if (caller.organization || bearer?.organization) return (caller.organization ?? bearer?.organization) === organization
  return (await manager.countBy(OrganizationUser, { userId, status: 'active' })) === 1
}

/** The caller's user, made when it is met for the first time. */
export async function userOf(call: Call): Promise<User> {
  const { bearer } = call.caller as Identity
  if (!bearer) throw new Problem(401, 'This needs a bearer token.', { 'WWW-Authenticate': 'Bearer' })
  const { issuer, subject, name, email, issuedAt } = bearer
  const user = Object.assign(new User(), {
    issuer,
    subject,
    name: name ?? email ?? subject,
    email: email ?? null,
    claimsAt: issuedAt === undefined ? null : new Date(issuedAt * 1000),
    version: 1,
  })
  await call.manager.createQueryBuilder().insert().into(User).values(user).orIgnore().updateEntity(false).execute()
  return call.manager.findOneByOrFail(User, { issuer, subject })
}
