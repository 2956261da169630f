import type { Logger } from 'pino'
import type Stripe from 'stripe'
import { type DataSource, type EntityManager, IsNull, Not } from 'typeorm'
import { isEmailAddress } from '../../entities/email-address.ts'
import { Organization, type OrganizationAddress, Subscription } from '../../entities/index.ts'
import { settings } from '../../entities/settings.ts'
import { liveCondition } from '../../entities/subscription.ts'
import { Problem } from '../hydra/index.ts'
import type { Billing } from './billing.ts'
import { isMissing } from './stripe/stripe-errors.ts'
import { requestStripe } from './stripe/stripe-request.ts'
import { enqueueCustomerSync } from './sync/sync-customer-job.ts'

/** The properties of a customer that this server sends to Stripe. */
type Profile = Pick<Stripe.CustomerUpdateParams, 'name' | 'email' | 'preferred_locales'> & {
  address?: Stripe.AddressParam
}

interface Row {
  name: string
  address: OrganizationAddress | null
  emails: string[] | null
  language: unknown
}

/**
 * The recipient of Stripe's invoices. The address is that of the subscription, or else the first billing address. The email is
 * that of the owner who joined first. The language is that of the organization.
 * @param newAddressId the address of a subscription that is being created
 */
async function profileOf(manager: EntityManager, organization: string, newAddressId?: string): Promise<Profile> {
  const [row]: Row[] = await manager.query(
    `SELECT "organization"."name", to_jsonb("address") AS "address",
        (SELECT "value" FROM "organization_config"
          WHERE "organizationId" = "organization"."id" AND "key" = 'language') AS "language",
        (SELECT array_agg("user"."email" ORDER BY "member"."joinedAt", "member"."id")
          FROM "organization_user" "member" JOIN "user" ON "user"."id" = "member"."userId"
          WHERE "member"."organizationId" = "organization"."id" AND "role" = 'owner' AND "status" = 'active'
        ) AS "emails"
      FROM "organization" LEFT JOIN "subscription" ON "subscription"."organizationId" = "organization"."id"
          AND "subscription".${liveCondition}
        LEFT JOIN LATERAL (SELECT * FROM "organization_address" WHERE "organizationId" = "organization"."id"
          AND ("kind" = 'billing' OR "id" = coalesce($2::uuid, "organizationAddressId"))
          ORDER BY "id" IS DISTINCT FROM coalesce($2::uuid, "organizationAddressId"), "id" LIMIT 1) "address" ON true
      WHERE "organization"."id" = $1`,
    [organization, newAddressId ?? null],
  )
  const email = row.emails?.find(isEmailAddress)
  return {
    name: row.address?.name ?? row.name,
    ...(email && { email }),
    ...(row.address && { address: addressFrom(row.address) }),
    preferred_locales: [String(row.language ?? settings.language.default)],
  }
}

function addressFrom({ street, houseNumber, postalCode, city, countryId }: OrganizationAddress): Stripe.AddressParam {
  return {
    line1: [street, houseNumber].filter(Boolean).join(' '),
    ...(postalCode && { postal_code: postalCode }),
    city,
    country: countryId,
  }
}

/** Sends the recipient of the invoices to Stripe before a subscription is created. */
export async function sendCustomerProfile(
  billing: Billing,
  manager: EntityManager,
  customer: string,
  { organizationId, organizationAddressId }: { organizationId: string; organizationAddressId: string | null },
): Promise<void> {
  const profile = await profileOf(manager, organizationId, organizationAddressId ?? undefined)
  await requestStripe('customer', billing.stripe.customers.update(customer, profile), {
    address: 'organizationAddress',
    name: 'organizationAddress',
  })
}

/**
 * The job that updates the name, email, address and language of a customer at Stripe. It compares first, so a superfluous run
 * changes nothing.
 */
export function updateCustomerProfile({ manager }: DataSource, { stripe }: Billing, log: Logger) {
  return async ({ organization: id }: { organization: string }): Promise<void> => {
    const organization = await manager.findOneBy(Organization, { id, stripeCustomerId: Not(IsNull()) })
    const customer = organization?.stripeCustomerId
    if (!customer) return
    try {
      const found = await requestStripe(
        'customer',
        stripe.customers.retrieve(customer) as Promise<Stripe.Customer | Stripe.DeletedCustomer>,
      )
      const profile = await profileOf(manager, id)
      if (!found.deleted && differs(found, profile))
        await requestStripe('customer', stripe.customers.update(customer, profile))
      // The sync gives a subscription without a billing address the one that has been added.
      const withoutAddress = { organizationId: id, organizationAddressId: IsNull() }
      if (await manager.existsBy(Subscription, withoutAddress)) await enqueueCustomerSync(manager, customer)
    } catch (error) {
      // A refusal is not retried at once: the nightly reconciliation sends the profile again, possibly corrected.
      if (!(error instanceof Problem) || error.status >= 500) throw error
      if (!isMissing(error, 'customer', customer))
        log.warn({ err: error, customer }, 'could not update the profile of a Stripe customer')
    }
  }
}

function differs(found: Stripe.Customer, { name, email, address, preferred_locales }: Profile): boolean {
  const names = ['line1', 'line2', 'postal_code', 'city', 'state', 'country'] as const
  return (
    found.name !== name ||
    (email !== undefined && found.email !== email) ||
    JSON.stringify(found.preferred_locales) !== JSON.stringify(preferred_locales) ||
    (address !== undefined && names.some((part) => (found.address?.[part] || null) !== (address[part] ?? null)))
  )
}
