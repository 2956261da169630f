import { invalidRequest, resourceMissing } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { text } from '../http/parameter-values.ts'
import { pathObject, type Route, requireObject } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { Subscription, SubscriptionSchedule } from '../objects/billing-objects.ts'

const url = '/v1/subscription_schedules'

/** Schedules as far as they keep others from changing how a subscription ends; their phases do nothing here. */
export const schedules: Route[] = [
  {
    method: 'POST',
    path: url,
    parameters: 'from_subscription',
    handle: ({ account, params }) => create(account, params),
  },
  { method: 'GET', path: `${url}/{schedule}`, handle: (call) => pathObject(call, 'subscription_schedule') },
  {
    method: 'POST',
    path: `${url}/{schedule}/release`,
    handle: (call) => release(call.account, pathObject(call, 'subscription_schedule')),
  },
]

/** @throws Refusal when a schedule manages the subscription, and the request would change when it ends */
export function checkNotScheduled({ schedule }: Subscription, params: Params): void {
  if (!schedule || !['cancel_at', 'cancel_at_period_end'].some((name) => name in params)) return
  throw invalidRequest(
    `The subscription is managed by the subscription schedule \`${schedule}\`, and updating any cancelation behavior ` +
      'directly is not allowed. Please update the schedule instead.',
  )
}

function create(account: Account, params: Params): SubscriptionSchedule {
  const id = text(params, 'from_subscription')
  if (!id)
    throw invalidRequest('The local Stripe makes schedules from a subscription alone.', { param: 'from_subscription' })
  const subscription = requireObject(account, 'subscription', id, 'from_subscription')
  if (subscription.ended_at) throw resourceMissing('subscription', id, 'from_subscription')
  if (subscription.schedule) {
    throw invalidRequest(
      `You cannot migrate a subscription that is already attached to a schedule: ${subscription.schedule}`,
    )
  }
  if (subscription.status === 'paused') {
    throw invalidRequest(`You cannot attach a schedule to subscription \`${id}\`: it is paused.`)
  }
  const schedule = account.add(newSchedule(account, subscription), 'subscription_schedule.created')
  account.update(subscription, () => {
    subscription.schedule = schedule.id
  })
  return schedule
}

function release(account: Account, schedule: SubscriptionSchedule): SubscriptionSchedule {
  const subscription = account.store.find('subscription', schedule.subscription)
  account.update(
    schedule,
    () => {
      schedule.status = 'released'
      schedule.released_at = account.now()
      schedule.released_subscription = schedule.subscription
      schedule.subscription = null
    },
    'subscription_schedule.released',
  )
  if (subscription) {
    account.update(subscription, () => {
      subscription.schedule = null
    })
  }
  return schedule
}

function newSchedule(account: Account, { id, customer, billing_mode }: Subscription): SubscriptionSchedule {
  return {
    id: account.ids.next('sub_sched_'),
    object: 'subscription_schedule',
    application: null,
    billing_mode,
    canceled_at: null,
    completed_at: null,
    created: account.now(),
    current_phase: null,
    customer,
    customer_account: null,
    default_settings: {
      application_fee_percent: null,
      automatic_tax: { disabled_reason: null, enabled: false, liability: null },
      billing_cycle_anchor: 'automatic',
      billing_thresholds: null,
      collection_method: 'charge_automatically',
      default_payment_method: null,
      description: null,
      invoice_settings: {
        account_tax_ids: null,
        custom_fields: null,
        days_until_due: null,
        description: null,
        footer: null,
        issuer: { type: 'self' },
      },
      on_behalf_of: null,
      transfer_data: null,
    },
    end_behavior: 'release',
    livemode: false,
    metadata: {},
    pause_schedules: [],
    phases: [],
    released_at: null,
    released_subscription: null,
    status: 'active',
    subscription: id,
    test_clock: null,
  }
}
