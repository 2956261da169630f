import { membershipOrder } from '../../../entities/user.ts'
import { type Executor, statement, TenantScope } from '../../hydra/index.ts'
import type { Role } from '../roles.ts'
import type { Holder } from './session-rows.ts'

/** An organization that a person can act for. */
export interface Choice {
  id: string
  name: string
  role: Role
}

/** A person, and the organizations that a session may act for. */
export interface Person {
  /** Undefined where the user is not stored yet. */
  name: string | undefined
  organizations: Choice[]
}

const choices = statement(
  'session:choices',
  `SELECT u."name" AS "person", o."id", o."name", m."role" FROM "user" u
     LEFT JOIN "organization_user" m ON m."userId" = u."id" AND m."status" = 'active' AND NOT u."operator"
     LEFT JOIN "organization" o ON o."id" = m."organizationId"
    WHERE u."issuer" = :issuer AND u."subject" = :subject
    ORDER BY ${membershipOrder('m', 'u')}
    LIMIT 1000`,
  { tenants: TenantScope.every },
)

/** A user with its organizations, the default one first. A token that names an organization offers that one alone. */
export async function personOf(
  executor: Executor,
  { issuer, subject }: Holder,
  claimed: string | undefined,
): Promise<Person> {
  const { rows } = await choices(executor, { issuer, subject })
  const organizations = rows
    .filter(({ id }) => id !== null && (claimed === undefined || id === claimed))
    .map(({ id, name, role }) => ({ id, name, role }))
  return { name: rows[0]?.person, organizations }
}
