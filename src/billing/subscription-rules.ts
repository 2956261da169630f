import { IsNull, MoreThan } from 'typeorm'
import {
  Organization,
  OrganizationAddress,
  OrganizationUser,
  OrganizationUserInvitation,
  PaymentMethod,
  Subscription,
} from '../../entities/index.ts'
import { isMemberAddress } from '../../entities/user.ts'
import { type Call, ConstraintViolation, Problem, type Violation } from '../hydra/index.ts'
import { lockOrganization } from '../postgres/locks.ts'
import { findLiveSubscription } from './live-subscription.ts'

/** The message of the unique index `subscription:live`, and of the checks that find a live subscription before it does. */
export const liveSubscriptionExists = 'The organization has a live subscription already. Change it, or cancel it first.'

/** Sets the defaults of omitted properties, and validates the others. */
export async function applyDefaults(draft: Subscription, call: Call): Promise<Violation[]> {
  if (draft.organization === null) return []
  if (draft.organizationId !== call.tenant)
    return [
      {
        propertyPath: 'organization',
        message: 'organization must be the organization of your token. Send its IRI, or omit it.',
        code: 'isCurrent',
      },
    ]
  if (draft.seats === undefined) draft.seats = await countTakenSeats(call)
  if (draft.organizationAddress) return checkSeats(draft, call)
  const addresses = await call.manager.find(OrganizationAddress, {
    where: { organizationId: call.tenant, kind: 'billing' },
    take: 2,
  })
  if (addresses.length === 1) {
    draft.organizationAddressId = addresses[0].id
    return checkSeats(draft, call)
  }
  const reason =
    addresses.length === 0
      ? 'the organization has no billing address yet'
      : 'the organization has several billing addresses'
  return [
    {
      propertyPath: 'organizationAddress',
      message: `organizationAddress is required: ${reason}.`,
      code: 'isNotEmpty',
    },
    ...(await checkSeats(draft, call)),
  ]
}

/** Each member takes a seat, and so does each pending invitation. */
export async function checkSeats({ seats }: Subscription, call: Call): Promise<Violation[]> {
  const taken = await countTakenSeats(call)
  if (typeof seats !== 'number' || seats < 1 || seats >= taken) return []
  return [
    {
      propertyPath: 'seats',
      message: `seats must be at least ${taken}, the number of members and pending invitations.`,
      code: 'min',
    },
  ]
}

/**
 * Checks the seats under the lock of the organization, which invitations take too: the number cannot change until commit.
 * @returns the locked organization
 */
export async function requireSeats(call: Call, subscription: Subscription): Promise<Organization> {
  const organization = await lockOrganization(call.manager, call.tenant)
  const violations = await checkSeats(subscription, call)
  if (violations.length > 0) throw new ConstraintViolation(violations)
  return organization
}

/** Counts the members, and the invitations that a person who is no member yet can still accept. */
export async function countTakenSeats({ manager, tenant: organizationId }: Call): Promise<number> {
  const pending = await manager
    .createQueryBuilder(OrganizationUserInvitation, 'invitation')
    .where({ organizationId, acceptedAt: IsNull(), revokedAt: IsNull(), expiresAt: MoreThan(new Date()) })
    .andWhere(`NOT ${isMemberAddress('"invitation"."email"', '"invitation"."organizationId"', 'NULL')}`)
    .getCount()
  return pending + (await manager.countBy(OrganizationUser, { organizationId }))
}

/** @throws Problem 409 while the subscription is being created at Stripe: until then it cannot be changed there */
export function requireExternalId({ externalId }: Subscription): string {
  if (externalId) return externalId
  throw new Problem(409, 'The subscription is being created at Stripe. Send the request again in a minute.', {
    'Retry-After': '60',
  })
}

/** @returns Stripe's id of the payment method of a subscription */
export async function requirePaymentMethod(
  { manager }: Call,
  { paymentMethodId: id, organizationId }: Subscription,
): Promise<string> {
  const method = id && (await manager.findOneBy(PaymentMethod, { id, organizationId }))
  if (method) return method.externalId
  const message = id
    ? 'paymentMethod is no longer known at Stripe. Add it again.'
    : 'paymentMethod can be replaced by another, but not removed.'
  throw new ConstraintViolation([{ propertyPath: 'paymentMethod', message, code: 'isNotEmpty' }])
}

/**
 * The subscription of a coupon: the one in the request, or else the current subscription.
 * @throws Problem 409 when a coupon cannot be applied to it
 */
export async function requireDiscountable(call: Call<Subscription>, named: Subscription | undefined) {
  const organization = await call.get(Organization, call.tenant)
  const subscription = named
    ? await call.get(Subscription, named.id)
    : await findLiveSubscription(call.manager, organization.id)
  if (!subscription?.live)
    throw new Problem(409, 'There is no live subscription to which a coupon can be applied. Create one first.')
  if (organization.manualBilling)
    throw new Problem(409, 'The organization has manual billing. Coupons require billing by Stripe.')
  if (!subscription.acceptsCoupon)
    throw new Problem(409, 'The subscription awaits its first payment. A coupon can be applied after that.')
  return subscription
}
