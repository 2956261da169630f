import { Type } from 'class-transformer'
import { IsOptional, IsString, Length, Matches } from 'class-validator'
import { Subscription } from '../../../entities/index.ts'
import { applyStripeSubscription, customerIdOf, whileLive } from '../../billing/apply-stripe-subscription.ts'
import type { Billing } from '../../billing/billing.ts'
import { findDiscount, isAlreadyRedeemed, setDiscount } from '../../billing/stripe/discounts.ts'
import { hasCode, hasDiscount } from '../../billing/stripe/from-stripe.ts'
import { requireDiscountable } from '../../billing/subscription-rules.ts'
import { type Call, ConstraintViolation, type Operation, Unchanged } from '../../hydra/index.ts'

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
  title: () => 'Apply a coupon to the current subscription',
  description:
    'Takes the code of a coupon or a promotion code, which replaces any other discount. Every unusable code gets the same ' +
    'error. A discount of limited duration can be redeemed once. Not available with manual billing.',
  expects: CouponApplication,
  returns: 'item',
  statuses: [200, 201, 400, 409, 413, 415, 422],
  sensitive: 'minute',
  callsExternalService: true,
  link: { name: 'applyCoupon', when: ({ acceptsCoupon }: Subscription) => acceptsCoupon },
  async handle(call) {
    const { code, subscription: named } = await call.input(CouponApplication)
    const subscription = await requireDiscountable(call, named)
    return whileLive(call, billing, subscription, () => apply(call, billing, subscription, code.trim()))
  },
})

export const clearCoupon = (billing: Billing): Operation<Subscription> => ({
  name: 'clearCoupon',
  method: 'POST',
  path: '/clear-coupon',
  title: () => 'Remove the coupon from the current subscription',
  description: 'Removes every discount. Not available with manual billing.',
  expects: CouponRemoval,
  returns: 'item',
  statuses: [200, 400, 409, 413, 415, 422],
  callsExternalService: true,
  link: { name: 'clearCoupon', when: ({ acceptsCoupon }: Subscription) => acceptsCoupon },
  async handle(call) {
    const subscription = await requireDiscountable(call, (await call.input(CouponRemoval)).subscription)
    return whileLive(call, billing, subscription, async () => {
      const cleared = await setDiscount(billing, subscription.externalId as string, undefined, call.request.claim)
      return new Unchanged(await applyStripeSubscription(call, billing, 'clearCoupon', subscription, cleared))
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
  const same = async () => new Unchanged(await applyStripeSubscription(call, billing, 'applyCoupon', subscription, now))
  // Checked first: once a promotion code has reached its limit, Stripe no longer lists it.
  if (hasCode(now, code)) return same()
  const discount = await findDiscount(billing, code, customerIdOf(now))
  if (!discount) throw unusable()
  if (hasDiscount(now, discount)) return same()
  if (await isAlreadyRedeemed(billing, customerIdOf(now), discount).catch(throwUnusable)) throw unusable()
  const discounted = await setDiscount(billing, id, discount, call.request.claim).catch(throwUnusable)
  return applyStripeSubscription(call, billing, 'applyCoupon', subscription, discounted)
}

function throwUnusable(problem: unknown): never {
  throw problem instanceof ConstraintViolation ? unusable() : problem
}

/** One message for all reasons: a caller must not learn which codes exist by trying them. */
function unusable(): ConstraintViolation {
  const message = 'code cannot be used: it may be mistyped, expired or already redeemed. Check it, or use another.'
  return new ConstraintViolation([{ propertyPath: 'code', message, code: 'isUsable' }])
}
