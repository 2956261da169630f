import { OrganizationUser, User } from '../../entities/index.ts'
import { membershipOrder } from '../../entities/user.ts'
import type { Callers, Identity } from '../access/callers.ts'
import { type Call, type Operation, Problem } from '../hydra/index.ts'

const unknown = 'You have no user yet: create an organization, or accept an invitation.'

export const me: Operation<User> = {
  name: 'me',
  method: 'GET',
  path: '/me',
  title: () => 'Shows the user that the caller is',
  returns: 'item',
  statuses: [200, 304, 404],
  async handle(call) {
    if (!call.caller.user) throw new Problem(404, unknown)
    return shown(call, await call.get(User, call.caller.user))
  },
}

/** Whether the caller's token acts for an organization that its user has just come to belong to. */
export async function actsFor({ caller, manager }: Call, userId: string, organization: string): Promise<boolean> {
  const { bearer } = caller as Identity
  if (caller.tenant || bearer?.tenant) return (caller.tenant ?? bearer?.tenant) === organization
  return (await manager.countBy(OrganizationUser, { userId, status: 'active' })) === 1
}

/** Chooses the organization that the caller's tokens act for; those whose claim names one are not concerned. */
export const update = (callers: Callers): Operation<User> => ({
  name: 'updateMe',
  method: 'PATCH',
  path: '/me',
  title: () => 'Changes the user that the caller is, only what is sent',
  description:
    '"defaultOrganization" is one that the caller is an active member of. It is acted for while a token has no claim ' +
    '"organization"; when that membership ends, the oldest active one takes over.',
  expects: 'self',
  returns: 'item',
  statuses: [200, 400, 404, 409, 412, 413, 415, 422],
  writes: { defaultOrganization: ['guest', 'member', 'admin', 'owner'] },
  async handle(call) {
    if (!call.caller.user) throw new Problem(404, unknown)
    const before = await call.get(User, call.caller.user)
    call.match(before)
    const after = await call.read(before, true)
    return call.statement(async () => {
      await call.save(before, after)
      call.after(() => callers.forget())
      return shown(call, after)
    })
  },
})

/** Tells the caller which organization it acts for by default. */
async function shown(call: Call<User>, user: User): Promise<User> {
  const [found] = await call.manager.query(
    `SELECT "own"."organizationId" FROM "organization_user" "own" JOIN "user" ON "user"."id" = "own"."userId"
      WHERE "user"."id" = $1 AND "own"."status" = 'active' ORDER BY ${membershipOrder('"own"', '"user"')} LIMIT 1`,
    [user.id],
  )
  return Object.assign(user, { defaultOrganizationId: found?.organizationId ?? null })
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
  await call.manager
    .createQueryBuilder()
    .insert()
    .into(User)
    .values(user as object)
    .orIgnore()
    .updateEntity(false)
    .execute()
  return call.manager.findOneByOrFail(User, { issuer, subject })
}
