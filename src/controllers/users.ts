import { User } from '../../entities/index.ts'
import { membershipOrder } from '../../entities/user.ts'
import type { Callers } from '../access/callers.ts'
import { type Call, type Operation, Problem, TenantScope } from '../hydra/index.ts'

export const me: Operation<User> = {
  name: 'me',
  method: 'GET',
  path: '/me',
  title: () => 'Retrieve the current user',
  returns: 'item',
  statuses: [200, 304, 404],
  handle: async (call) => withDefaultOrganization(call, await currentUser(call)),
}

/** Changes the organization that the caller's tokens act for, unless a token's claim names one. */
export const update = (callers: Callers): Operation<User> => ({
  name: 'updateMe',
  method: 'PATCH',
  path: '/me',
  title: () => 'Update the current user',
  description:
    '"defaultOrganization" must be an organization of which the caller is an active member. A token without the claim ' +
    '"organization" acts for it. When that membership ends, the oldest active membership takes its place.',
  expects: 'self',
  returns: 'item',
  statuses: [200, 400, 404, 409, 412, 413, 415, 422],
  writes: { defaultOrganization: ['guest', 'member', 'admin', 'owner'] },
  async handle(call) {
    const before = await currentUser(call)
    call.request.checkPreconditions(before)
    const after = await call.read(before, true)
    return call.unitOfWork.statement(async () => {
      await call.unitOfWork.save(before, after)
      call.unitOfWork.after(() => callers.forget())
      return withDefaultOrganization(call, after)
    })
  },
})

function currentUser(call: Call<User>): Promise<User> {
  if (!call.caller.user)
    throw new Problem(404, 'You have no user yet: create an organization, or accept an invitation.')
  return call.get(User, call.caller.user)
}

/** Adds the organization that a token without the claim "organization" acts for. */
async function withDefaultOrganization(call: Call<User>, user: User): Promise<User> {
  const [found] = await TenantScope.every.run(call.manager, (manager) =>
    manager.query(
      `SELECT "own"."organizationId" FROM "organization_user" "own" JOIN "user" ON "user"."id" = "own"."userId"
        WHERE "user"."id" = $1 AND "own"."status" = 'active' ORDER BY ${membershipOrder('"own"', '"user"')} LIMIT 1`,
      [user.id],
    ),
  )
  return Object.assign(user, { defaultOrganizationId: found?.organizationId ?? null })
}
