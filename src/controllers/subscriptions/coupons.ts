import { Type } from 'class-transformer'
import { IsOptional, IsString, Length, Matches } from 'class-validator'
import { Organization, Subscription } from '../../../entities/index.ts'
import { applyStripeState, customerIdOf, whileLive } from '../../billing/apply-stripe-subscription.ts'
import type { Billing } from '../../billing/billing.ts'
import { isAlreadyRedeemed } from '../../billing/stripe/coupon-redemptions.ts'
import { hasCode, hasDiscount } from '../../billing/stripe/from-stripe.ts'
import { type Call, ConstraintViolation, type Operation, Problem, Unchanged } from '../../hydra/index.ts'

/** A coupon or promotion code for the current subscription. */
export class CouponApplication {
  @IsString()
  @Length(1, 255)
  @Matches(/\S/, { message: 'code must not be blank' })
  code: string

  @IsOptional()
  @Type(() => Subscription)
  subscription?: Subscription
}

export class CouponRemoval {
  @IsOptional()
  @Type(() => Subscription)
  subscription?: Subscription
}

export const applyCoupon = (billing: Billing): Operation<Subscription> => ({
  name: 'applyCoupon',
  method: 'POST',
  path: '/apply-coupon',
  title: () => 'Applies a coupon or promotion code to the current subscription, in place of any other',
  description:
    'What cannot be had is refused in one way, whatever the reason. A discount of limited duration can be had once. Not for ' +
    'organizations billed by hand.',
  expects: CouponApplication,
  returns: 'item',
  statuses: [200, 201, 400, 409, 413, 415, 422],
  sensitive: 'minute',
  callsExternalService: true,
  link: { name: 'applyCoupon', when: ({ acceptsCoupon }: Subscription) => acceptsCoupon },
  async handle(call) {
    const { code, subscription: named } = await call.input(CouponApplication)
    const subscription = await discountable(call, named)
    return whileLive(call, billing, subscription, () => apply(call, billing, subscription, code.trim()))
  },
})

export const clearCoupon = (billing: Billing): Operation<Subscription> => ({
  name: 'clearCoupon',
  method: 'POST',
  path: '/clear-coupon',
  title: () => 'Takes the coupon off the current subscription',
  description: 'Not for organizations billed by hand.',
  expects: CouponRemoval,
  returns: 'item',
  statuses: [200, 400, 409, 413, 415, 422],
  callsExternalService: true,
  link: { name: 'clearCoupon', when: ({ acceptsCoupon }: Subscription) => acceptsCoupon },
  async handle(call) {
    const subscription = await discountable(call, (await call.input(CouponRemoval)).subscription)
    return whileLive(call, billing, subscription, async () => {
      const cleared = await billing.setDiscount(subscription.externalId as string, undefined, call.claim)
      return new Unchanged(await applyStripeState(call, billing, 'clearCoupon', subscription, cleared))
    })
  },
})

async function apply(
  call: Call<Subscription>,
  billing: Billing,
  subscription: Subscription,
  code: string,
): Promise<Subscription | Unchanged<Subscription>> {
  const id = subscription.externalId as string
  const now = await billing.retrieveSubscription(id)
  const same = async () => new Unchanged(await applyStripeState(call, billing, 'applyCoupon', subscription, now))
  // Looked at first, since what could be used once is not found any more.
  if (hasCode(now, code)) return same()
  const discount = await billing.findDiscount(code, customerIdOf(now))
  if (!discount) throw unusable()
  if (hasDiscount(now, discount)) return same()
  if (await isAlreadyRedeemed(billing, customerIdOf(now), discount).catch(refuse)) throw unusable()
  const discounted = await billing.setDiscount(id, discount, call.claim).catch(refuse)
  return applyStripeState(call, billing, 'applyCoupon', subscription, discounted)
}

/** The subscription that was named, or the current one, if there is one that a coupon can work on. */
async function discountable(call: Call<Subscription>, named: Subscription | undefined): Promise<Subscription> {
  const organization = await call.get(Organization, call.tenant)
  const id = named?.id ?? organization.currentSubscriptionId
  const subscription = id ? await call.get(Subscription, id) : undefined
  if (!subscription?.live) throw new Problem(409, 'There is no live subscription for a coupon to work on.')
  if (organization.manualBilling)
    throw new Problem(409, 'The organization is billed by hand, and coupons are Stripe’s.')
  if (!subscription.acceptsCoupon)
    throw new Problem(409, 'The subscription awaits its first payment: a coupon can be put on it after that.')
  return subscription
}

function refuse(problem: unknown): never {
  throw problem instanceof ConstraintViolation ? unusable() : problem
}

/** One text for all reasons, so that codes cannot be told apart by trying. */
function unusable(): ConstraintViolation {
  const message = 'code is not one that can be used: it may be mistyped, expired or used up.'
  return new ConstraintViolation([{ propertyPath: 'code', message, code: 'isUsable' }])
}
