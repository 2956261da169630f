import type { Logger } from 'pino'
import type Stripe from 'stripe'
import { type DataSource, type EntityManager, IsNull, Not } from 'typeorm'
import { isEmailAddress } from '../../entities/email-address.ts'
import { Organization, type OrganizationAddress, Subscription } from '../../entities/index.ts'
import { settings } from '../../entities/settings.ts'
import { Problem } from '../hydra/index.ts'
import type { Billing } from './billing.ts'
import { isMissing } from './stripe/stripe-errors.ts'
import { requestStripe } from './stripe/stripe-request.ts'
import { enqueueCustomerSync } from './sync/sync-customer-job.ts'

/** What Stripe knows of a customer by us. */
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
 * To whom Stripe's invoices go: the address of the subscription, else the first billing address; the email of the owner who
 * is one for the longest; the language of the organization.
 * @param subscribing the address of a subscription that is being begun
 */
async function profileOf(manager: EntityManager, organization: string, subscribing?: string): Promise<Profile> {
  const [row]: Row[] = await manager.query(
    `SELECT "organization"."name", to_jsonb("address") AS "address",
        (SELECT "value" FROM "organization_config"
          WHERE "organizationId" = "organization"."id" AND "key" = 'language') AS "language",
        (SELECT array_agg("user"."email" ORDER BY "member"."joinedAt", "member"."id")
          FROM "organization_user" "member" JOIN "user" ON "user"."id" = "member"."userId"
          WHERE "member"."organizationId" = "organization"."id" AND "role" = 'owner' AND "status" = 'active'
        ) AS "emails"
      FROM "organization" LEFT JOIN "subscription" ON "subscription"."id" = "currentSubscriptionId"
        LEFT JOIN LATERAL (SELECT * FROM "organization_address" WHERE "organizationId" = "organization"."id"
          AND ("kind" = 'billing' OR "id" = coalesce($2::uuid, "organizationAddressId"))
          ORDER BY "id" IS DISTINCT FROM coalesce($2::uuid, "organizationAddressId"), "id" LIMIT 1) "address" ON true
      WHERE "organization"."id" = $1`,
    [organization, subscribing ?? null],
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

/** Tells Stripe to whom the invoices of a subscription go that is being begun. */
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
 * Keeps the name, email, address and language of a customer at Stripe as they are here. It looks before it writes, so an
 * order too many changes nothing.
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
      // A subscription that had no billing address may have one now.
      const without = { organizationId: id, organizationAddressId: IsNull() }
      if (await manager.existsBy(Subscription, without)) await enqueueCustomerSync(manager, customer)
    } catch (error) {
      // What Stripe refuses for good is tried again at night, when it may have been corrected.
      if (!(error instanceof Problem) || error.status >= 500) throw error
      if (!isMissing(error, 'customer', customer))
        log.warn({ err: error, customer }, 'could not tell Stripe the address of a customer')
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
