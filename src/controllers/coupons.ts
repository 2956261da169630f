import { Type } from 'class-transformer'
import { IsOptional, IsString, Length } from 'class-validator'
import { Organization, Subscription } from '../../entities/index.ts'
import type { Call } from '../hydra/call.ts'
import type { Operation } from '../hydra/operation.ts'
import { Problem } from '../hydra/problem.ts'
import { requireManual } from './subscriptions.ts'

/** A coupon or promotion code for the current subscription. */
export class CouponApplication {
  @IsString()
  @Length(1, 255)
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

export const applyCoupon: Operation<Subscription> = {
  name: 'applyCoupon',
  method: 'POST',
  path: '/apply-coupon',
  title: () => 'Applies a coupon or promotion code to the current subscription, in place of any other',
  description: 'Not for organizations billed by hand. Not available through Stripe yet: answers 503.',
  expects: CouponApplication,
  returns: 'item',
  statuses: [200, 201, 400, 409, 413, 415, 422],
  link: { name: 'applyCoupon', when: takesCoupons },
  handle: async (call) => onCoupons(call, (await call.input(CouponApplication)).subscription),
}

export const clearCoupon: Operation<Subscription> = {
  name: 'clearCoupon',
  method: 'POST',
  path: '/clear-coupon',
  title: () => 'Takes the coupon off the current subscription',
  description: 'Not for organizations billed by hand. Not available through Stripe yet: answers 503.',
  expects: CouponRemoval,
  returns: 'item',
  statuses: [200, 400, 409, 413, 415, 422],
  link: { name: 'clearCoupon', when: takesCoupons },
  handle: async (call) => onCoupons(call, (await call.input(CouponRemoval)).subscription),
}

/** Coupons are Stripe's, and end with what they make cheaper. */
function takesCoupons({ live, externalId }: Subscription): boolean {
  return live && externalId !== null
}

async function onCoupons(call: Call<Subscription>, named: Subscription | undefined): Promise<never> {
  const organization = await call.get(Organization, call.organization)
  const id = named?.id ?? organization.currentSubscriptionId
  const subscription = id ? await call.get(Subscription, id) : undefined
  if (!subscription?.live) throw new Problem(409, 'There is no live subscription for a coupon to work on.')
  if (organization.manualBilling)
    throw new Problem(409, 'The organization is billed by hand, and coupons are Stripe’s.')
  return requireManual(organization) as never
}
