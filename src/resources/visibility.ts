import { maskIban } from '../../entities/bank-account.ts'
import type { BankAccount, BankTransaction, Meeting, Organization, OrganizationUser } from '../../entities/index.ts'
import type { ResourceOptions } from '../hydra/index.ts'

const lists = [
  'organizationUsers',
  'organizationUserInvitations',
  'organizationModules',
  'subscriptions',
  'organizationConfigs',
  'organizationAddresses',
]

/** The organizations one belongs to; only the current one is shown with what it holds. */
export const organization: ResourceOptions<Organization> = {
  scope: {
    default: `"id" IN (SELECT "organizationId" FROM "organization_user" WHERE "userId" = :user AND "status" = 'active')`,
    operator: 'true',
  },
  hidden: {
    guest: [...lists, 'stripeCustomerId', 'currentSubscription'],
    member: ['stripeCustomerId', 'subscriptions', 'currentSubscription', 'organizationUserInvitations'],
    operator: [...lists, 'currentSubscription'],
  },
  viewedAs: ({ id }, { role, tenant }) => (role === 'operator' || id === tenant ? role : 'guest'),
}

/** Members see which account it is, neither its number nor through which link it came. */
export const bankAccount: ResourceOptions<BankAccount> = {
  hidden: { member: ['integration'] },
  masked: { member: { iban: maskIban } },
}

export const bankTransaction: ResourceOptions<BankTransaction> = { masked: { member: { partyIban: maskIban } } }

/** What must not linger on a disk: what is paid with, what is owed, who did what, whom a person is, what opens a door. */
export const sensitive = { sensitive: true } as const

export const mailFooter: ResourceOptions<object> = { singleton: true }

/** A member sees the meetings of the employee that it is. */
export const meeting: ResourceOptions<Meeting> = {
  scope: {
    default: '"organizationId" = :tenant',
    member: `"organizationId" = :tenant AND "employeeId" IN
      (SELECT "id" FROM "employee" WHERE "organizationId" = :tenant AND "userId" = :user)`,
  },
}

/** Who joins and is no admin is not led to the inviter, who may have left. */
export const invitation: ResourceOptions<object> = { hidden: { guest: ['invitedBy'], member: ['invitedBy'] } }

/** Of what tenants have subscribed to, the operator sees what it bills by hand, and nothing that it leads to. */
export const subscription: ResourceOptions<object> = {
  hidden: { operator: ['organizationAddress', 'paymentMethod'] },
  scope: {
    default: '"organizationId" = :tenant',
    operator: `"organizationId" IN (SELECT "id" FROM "organization" WHERE "manualBilling")`,
  },
}

const own = 'WHERE "organizationId" = :tenant'
const known = `"id" = :user OR "id" IN (SELECT "userId" FROM "organization_user" ${own})`
const inviters = `"id" IN (SELECT "invitedById" FROM "organization_user_invitation" ${own})`
const actors = `"id" IN (SELECT "actorId" FROM "audit_event" ${own})`

/**
 * The members, active or suspended, and the users of employees. Those who are no members are shown by name only: employees'
 * users who have left, inviters to those who read invitations, and actors to owners, who read the audit log.
 */
export const user: ResourceOptions<object> = {
  scope: { default: `${known} OR "id" IN (SELECT "userId" FROM "employee" ${own})` },
  named: { admin: inviters, owner: `${inviters} OR ${actors}` },
  whole: { when: known, otherwise: 'anonymous' },
  hidden: { anonymous: ['email', 'locale'] },
}

/** The last owner may not leave, so each membership tells whether it is that one. */
export const organizationUser: ResourceOptions<OrganizationUser> = {
  computed: {
    lastOwner: `"role" = 'owner' AND "status" = 'active' AND NOT EXISTS (SELECT FROM "organization_user" "other"
      WHERE "other"."organizationId" = "organization_user"."organizationId" AND "other"."id" <> "organization_user"."id"
        AND "other"."role" = 'owner' AND "other"."status" = 'active')`,
  },
}
