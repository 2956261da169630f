import { maskIban } from '../../entities/bank-account.ts'
import type { BankAccount, BankTransaction, Meeting, Organization, OrganizationUser } from '../../entities/index.ts'
import { liveCondition } from '../../entities/subscription.ts'
import type { ResourceOptions } from '../hydra/index.ts'

const lists = [
  'organizationUsers',
  'organizationUserInvitations',
  'organizationModules',
  'subscriptions',
  'organizationConfigs',
  'organizationAddresses',
]

/**
 * A person sees the organizations that it belongs to, a program the one of its key. Only the current one shows its member lists. Its
 * live subscription is read with the row.
 */
export const organization: ResourceOptions<Organization> = {
  scope: {
    default: `"id" IN (SELECT "organizationId" FROM "organization_user" WHERE "userId" = :user AND "status" = 'active'
      UNION ALL SELECT :tenant::uuid WHERE :user::uuid IS NULL)`,
    operator: 'true',
  },
  everyTenant: true,
  hidden: {
    guest: [...lists, 'stripeCustomerId', 'currentSubscription'],
    member: ['stripeCustomerId', 'subscriptions', 'currentSubscription', 'organizationUserInvitations'],
    operator: [...lists, 'currentSubscription'],
  },
  computed: {
    currentSubscriptionId: `SELECT "id" FROM "subscription" WHERE "organizationId" = "organization"."id" AND ${liveCondition}`,
  },
  viewedAs: ({ id }, { role, tenant }) => (role === 'operator' || id === tenant ? role : 'guest'),
}

/** Members see neither the full IBAN nor the bank link. */
export const bankAccount: ResourceOptions<BankAccount> = {
  hidden: { member: ['integration'] },
  masked: { member: { iban: maskIban } },
}

export const bankTransaction: ResourceOptions<BankTransaction> = { masked: { member: { partyIban: maskIban } } }

/** Responses are not stored by caches (`no-store`): payments, debts, audit events, personal data and secrets. */
export const sensitive = { sensitive: true } as const

export const mailFooter: ResourceOptions<object> = { singleton: true }

/** A member sees the meetings of its own employee. */
export const meeting: ResourceOptions<Meeting> = {
  scope: {
    default: '"organizationId" = :tenant',
    member: `"organizationId" = :tenant AND "employeeId" IN
      (SELECT "id" FROM "employee" WHERE "organizationId" = :tenant AND "userId" = :user)`,
  },
}

/** A guest or member who accepts sees no inviter: the inviter may have left. */
export const invitation: ResourceOptions<object> = { hidden: { guest: ['invitedBy'], member: ['invitedBy'] } }

/** The operator sees the subscriptions of organizations with manual billing, without their address and payment method. */
export const subscription: ResourceOptions<object> = {
  hidden: { operator: ['organizationAddress', 'paymentMethod'] },
  scope: {
    default: '"organizationId" = :tenant',
    operator: `"organizationId" IN (SELECT "id" FROM "organization" WHERE "manualBilling")`,
  },
}

/** An admin sees no endpoint that reads events as an owner, so that it cannot lead those elsewhere. */
export const webhookEndpoint: ResourceOptions<object> = {
  scope: {
    default: '"organizationId" = :tenant',
    admin: `"organizationId" = :tenant AND "role" = 'admin'`,
  },
}

/** A delivery holds an answer of its receiver, so an admin sees it under the same rule. Admins cannot read audit events. */
export const webhookDelivery: ResourceOptions<object> = {
  scope: {
    default: '"organizationId" = :tenant',
    admin: `"organizationId" = :tenant AND "endpointId" IN
      (SELECT "id" FROM "webhook_endpoint" WHERE "organizationId" = :tenant AND "role" = 'admin')`,
  },
  hidden: { admin: ['auditEvent'] },
}

/** Only owners read the audit log. Webhooks tell an admin what happened to which resource, and no more. */
export const auditEvent: ResourceOptions<object> = { hidden: { admin: ['actor', 'apiKey', 'changes'] } }

const own = 'WHERE "organizationId" = :tenant'
const known = `"id" = :user OR "id" IN (SELECT "userId" FROM "organization_user" ${own})`
const inviters = `"id" IN (SELECT "invitedById" FROM "organization_user_invitation" ${own})`
const creators = `"id" IN (SELECT "createdById" FROM "api_key" ${own} UNION ALL SELECT "createdById" FROM "webhook_endpoint" ${own})`
const actors = `"id" IN (SELECT "actorId" FROM "audit_event" ${own})`

/**
 * Members, active or suspended, and the users of employees. Others are shown by name only. These are employees' users who have
 * left, and actors of audit events (to owners). Admins and owners see inviters, and creators of API keys and webhook endpoints.
 */
export const user: ResourceOptions<object> = {
  scope: { default: `${known} OR "id" IN (SELECT "userId" FROM "employee" ${own})` },
  named: { admin: `${inviters} OR ${creators}`, owner: `${inviters} OR ${creators} OR ${actors}` },
  whole: { when: known, otherwise: 'anonymous' },
  hidden: { anonymous: ['email', 'locale'] },
}

/** Computed because the last owner may not leave: its membership shows no link `leave`. */
export const organizationUser: ResourceOptions<OrganizationUser> = {
  computed: {
    lastOwner: `"role" = 'owner' AND "status" = 'active' AND NOT EXISTS (SELECT FROM "organization_user" "other"
      WHERE "other"."organizationId" = "organization_user"."organizationId" AND "other"."id" <> "organization_user"."id"
        AND "other"."role" = 'owner' AND "other"."status" = 'active')`,
  },
}
