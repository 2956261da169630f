import type { Operation } from '../hydra/index.ts'

/** The roles of this API, from the least right to the most. A guest has a token, but acts for no organization. */
export const roles = ['anonymous', 'guest', 'member', 'admin', 'owner', 'operator'] as const

export type Role = (typeof roles)[number]

/** The roles of the people in an organization. */
export const tenantRoles = ['member', 'admin', 'owner'] as const satisfies Role[]

/** Done even while an organization is suspended or closed: debts can be settled, and nobody pays on for what is of no use. */
export const evenWhileSuspended = <E extends object>(operation: Operation<E>): Operation<E> => ({
  ...operation,
  allowedWhileReadOnly: true,
})

/** Lets these roles do it, beside those that have been let already. */
const also =
  (...added: Role[]) =>
  <E extends object>(operation: Operation<E>): Operation<E> => ({
    ...operation,
    may: [...(operation.may ?? []), ...added],
  })

/** The public: no token is needed. */
export const anyone = also(...roles)

/** Everybody with a good token, for no organization too. */
export const signedIn = also('guest', ...tenantRoles, 'operator')

const outside =
  'The operator stands outside all organizations and cannot act in one: use the token of a person who will belong to it.'

/** Everybody who may come to belong to an organization. */
export const joining = <E extends object>(operation: Operation<E>): Operation<E> => ({
  ...also('guest', ...tenantRoles)(operation),
  refusals: { operator: outside },
})

export const admin = also('admin', 'owner')

export const owner = also('owner')

export const operator = also('operator')
