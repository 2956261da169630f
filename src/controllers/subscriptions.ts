import { Type } from 'class-transformer'
import { IsBoolean, IsOptional, IsString, Length, ValidateIf } from 'class-validator'
import { IsNull, MoreThan } from 'typeorm'
import {
  Invoice,
  Organization,
  OrganizationAddress,
  OrganizationUser,
  OrganizationUserInvitation,
  Subscription,
} from '../../entities/index.ts'
import type { Call } from '../hydra/call.ts'
import { creating, updating } from '../hydra/crud.ts'
import { copy, make } from '../hydra/entity.ts'
import { type Operation, Unchanged } from '../hydra/operation.ts'
import { Problem, type Violation } from '../hydra/problem.ts'
import { record } from './audit.ts'

/** How to end a subscription. */
export class Cancellation {
  /** Now, instead of at the end of the period that is paid for. */
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  immediately: boolean = false
}

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

export const create: Operation<Subscription> = {
  ...creating<Subscription>({}),
  description:
    'Everything has a default: your organization, its only billing address, monthly, a seat for every member and pending invitation. ' +
    'Billed by hand, it awaits the operator; through Stripe it cannot be had yet and answers 503.',
  statuses: [201, 400, 409, 413, 415, 422],
  async handle(call) {
    const blank = Object.assign(make(Subscription), { organizationId: call.organization })
    const subscription = await call.read(blank, false, (draft) => complete(draft, call))
    const organization = await call.get(Organization, call.organization)
    if (organization.currentSubscriptionId)
      throw new Problem(409, 'The organization has a live subscription already: change it, or cancel it first.')
    requireManual(organization)
    return call.transaction(async () => {
      await call.insert(subscription)
      await note(call, 'create', subscription, {
        status: [null, subscription.status],
        seats: [null, subscription.seats],
      })
      return subscription
    })
  },
}

export const update = updating<Subscription>({
  writes: Object.fromEntries(['seats', 'modules', 'paymentMethod'].map((name) => [name, ['admin', 'owner']])),
  async prepare(draft, call) {
    requireManual(await call.get(Organization, call.organization))
    if (!draft.live) throw new Problem(409, 'It has ended: make a new one.')
    return fewSeats(draft, call)
  },
  async along(call, after, before) {
    if (before) await note(call, 'update', after, call.changes(before, after))
  },
})

export const cancel: Operation<Subscription> = {
  name: 'cancel',
  method: 'POST',
  path: '/:id/cancel',
  title: () => 'Cancels the subscription at the end of the period paid for, or at once',
  expects: Cancellation,
  returns: 'item',
  statuses: [200, 201, 400, 404, 409, 413, 415, 422],
  link: { name: 'cancel', when: ({ live }: Subscription) => live },
  async handle(call) {
    const { immediately } = await call.input(Cancellation)
    const subscription = await call.find()
    if (!subscription.live || (subscription.cancelAt && !immediately)) return new Unchanged(subscription)
    requireManual(await call.get(Organization, call.organization))
    return change(call, 'cancel', subscription, (draft) => draft.cancel(immediately))
  },
}

/** The operator lets what is billed by hand begin. */
export const confirm: Operation<Subscription> = {
  name: 'confirm',
  method: 'POST',
  path: '/:id/confirm',
  title: () => 'Confirms a subscription that is billed by hand, so that it begins',
  returns: 'item',
  statuses: [200, 201, 404, 409],
  link: {
    name: 'confirmSubscription',
    on: Organization,
    when: ({ manualBilling, currentSubscriptionId }: Organization) => manualBilling && currentSubscriptionId !== null,
    href: ({ currentSubscriptionId }: Organization) => `/subscriptions/${currentSubscriptionId}/confirm`,
  },
  async handle(call) {
    const subscription = await call.find()
    if (!subscription.live) throw new Problem(409, 'It has ended, so it cannot be confirmed.')
    if (!subscription.awaiting) return new Unchanged(subscription)
    return change(call, 'confirm', subscription, (draft) => draft.confirm())
  },
}

export const invoices: Operation<Subscription> = {
  name: 'invoices',
  method: 'GET',
  path: '/:id/invoices',
  title: () => 'Lists the invoices of the subscription, newest first',
  description: 'Empty where an organization is billed by hand.',
  returns: 'collection',
  members: Invoice,
  statuses: [200, 304, 400, 404],
  link: { name: 'invoices' },
  async handle(call) {
    const { id } = await call.find()
    return call.page(Invoice, { column: 'subscriptionId', value: id })
  },
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

/** Fills in what was left out, and says what is wrong with what was not. */
async function complete(draft: Subscription, call: Call): Promise<Violation[]> {
  if (draft.organization === null) return []
  if (draft.organizationId !== call.organization)
    return [
      { propertyPath: 'organization', message: 'organization must be the one that you act for.', code: 'isCurrent' },
    ]
  if (draft.seats === undefined) draft.seats = await seatsTaken(call)
  if (draft.organizationAddress) return fewSeats(draft, call)
  const addresses = await call.manager.find(OrganizationAddress, {
    where: { organizationId: call.organization, kind: 'billing' },
    take: 2,
  })
  if (addresses.length === 1) {
    draft.organizationAddressId = addresses[0].id
    return fewSeats(draft, call)
  }
  const reason = addresses.length === 0 ? 'there is no billing address yet' : 'there are several billing addresses'
  return [
    {
      propertyPath: 'organizationAddress',
      message: `organizationAddress must be given, as ${reason}.`,
      code: 'isNotEmpty',
    },
    ...(await fewSeats(draft, call)),
  ]
}

async function fewSeats({ seats }: Subscription, call: Call): Promise<Violation[]> {
  const taken = await seatsTaken(call)
  if (typeof seats !== 'number' || seats < 1 || seats >= taken) return []
  return [
    {
      propertyPath: 'seats',
      message: `seats must be at least ${taken}: so many members and pending invitations there are.`,
      code: 'min',
    },
  ]
}

async function seatsTaken({ manager, organization: organizationId }: Call): Promise<number> {
  const pending = { organizationId, acceptedAt: IsNull(), revokedAt: IsNull(), expiresAt: MoreThan(new Date()) }
  return (
    (await manager.countBy(OrganizationUser, { organizationId })) +
    (await manager.countBy(OrganizationUserInvitation, pending))
  )
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

/** What goes through Stripe has to wait until this server speaks to it. */
function requireManual({ manualBilling }: Organization): void {
  if (!manualBilling)
    throw new Problem(
      503,
      'This goes through Stripe, which this server does not speak to yet; only organizations billed by hand can subscribe.',
    )
}

async function change(
  call: Call<Subscription>,
  verb: string,
  before: Subscription,
  act: (draft: Subscription) => void,
): Promise<Subscription> {
  const after = copy(before)
  act(after)
  return call.transaction(async () => {
    await call.save(before, after)
    await note(call, verb, after, call.changes(before, after))
    return after
  })
}

function note(
  call: Call,
  verb: string,
  { id, organizationId }: Subscription,
  changes: Record<string, [unknown, unknown]>,
): Promise<void> {
  return record(call, `subscription.${verb}`, `/subscriptions/${id}`, changes, organizationId)
}
