import { IsString, MaxLength } from 'class-validator'
import { User } from '../../entities/index.ts'
import { membershipOrder } from '../../entities/user.ts'
import type { Callers } from '../access/callers.ts'
import { eraseUser } from '../erasure/erase-user.ts'
import { type Call, type Operation, Problem, TenantScope } from '../hydra/index.ts'
import { requireAddress } from '../workspace/confirmation.ts'

/** The body of the erasure: the confirmation. */
export class UserErasure {
  /** The email address of the user, or the name of a user without one. */
  @IsString()
  @MaxLength(255)
  confirm: string
}

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

/** Erases the caller. The response is for a guest, because the caller has no user any more. */
export const erase = (callers: Callers): Operation<User> => ({
  name: 'erase',
  method: 'POST',
  path: '/me/erase',
  title: () => 'Erase the current user',
  consequence: 'destroys',
  description:
    'The user loses its name, email address and sign-in, and is shown as "Erased user". All its sessions and memberships end. ' +
    'Its API keys and pending invitations are revoked, and its webhook endpoints are disabled. Employees lose the user. The audit ' +
    'log keeps the actions of the user, under its id. The last owner of an organization that is not closed gets 409. ' +
    '"confirm" is the email address of the user, or the name of a user without one. It cannot be undone: the next sign-in ' +
    'makes a new user.',
  expects: UserErasure,
  returns: 'item',
  enters: true,
  statuses: [201, 400, 404, 409, 413, 415, 422],
  link: { name: 'erase', when: ({ id }: User, _, { user }) => id === user },
  async handle(call) {
    const { confirm } = await call.input(UserErasure)
    return call.unitOfWork.transaction(async () => {
      const before = await currentUser(call)
      requireAddress(confirm, before)
      const after = await eraseUser(call, before)
      const guest = { role: 'guest', tenant: null }
      call.request.answeredAs = guest
      call.caller = { ...call.caller, ...guest, user: null }
      call.unitOfWork.after(() => callers.forget())
      return after
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
