import type { Operation } from '../hydra/index.ts'

/** The roles of this API, from the least right to the most. A guest has a token, but acts for no organization. */
export const roles = ['anonymous', 'guest', 'member', 'admin', 'owner', 'operator'] as const

export type Role = (typeof roles)[number]

/** The roles of the people in an organization. */
export const tenantRoles = ['member', 'admin', 'owner'] as const satisfies Role[]

interface Exception {
  /** Not for API keys: it needs a user, or it gives or takes rights. */
  peopleOnly?: true
  /** Also while the caller's organization is suspended or closed: debts can be paid, and paid services cancelled. */
  evenWhileSuspended?: true
}

/** Names every role that may run an operation: a role that is not listed gets 403. */
export const may =
  (...allowed: Role[]) =>
  <E extends object>(operation: Operation<E>, { evenWhileSuspended, peopleOnly }: Exception = {}): Operation<E> => ({
    ...operation,
    may: allowed,
    ...(peopleOnly && { peopleOnly }),
    ...(evenWhileSuspended && { allowedWhileReadOnly: true }),
  })

/** The public: no token is needed. */
export const anyone = may(...roles)

/** Every caller with a valid token, also one that acts for no organization. */
export const signedIn = may('guest', 'member', 'admin', 'owner', 'operator')

/** Every active member of the organization that the caller acts for. */
export const anyMember = may(...tenantRoles)

export const adminOrOwner = may('admin', 'owner')

export const ownerOnly = may('owner')

export const operatorOnly = may('operator')

/** Every signed-in person, member of an organization or not. The operator belongs to none, and its 403 says so. */
export const guestOrMember = <E extends object>(operation: Operation<E>): Operation<E> => ({
  ...may('guest', 'member', 'admin', 'owner')(operation, { peopleOnly: true }),
  refusals: {
    operator:
      'The operator stands outside all organizations: use the token of a person who will belong to the organization.',
  },
})
