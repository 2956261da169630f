import { type Operation, type Role, roles, tenantRoles } from '../hydra/index.ts'

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
