import { invoicesOf, local, statusOf, stripe, subscribed } from './customers.ts'

test('a trial costs nothing until it ends', async () => {
  const subscription = await subscribed({ trial_period_days: 14 })
  const [first] = await invoicesOf(subscription)
  local.advance({ days: 15 })
  const [invoice] = await invoicesOf(subscription)

  expect([subscription.status, first.total, first.status]).toEqual(['trialing', 0, 'paid'])
  expect([await statusOf(subscription), invoice.total, invoice.status]).toEqual(['active', 3600, 'paid'])
})

test('a trial without a card ends in a pause, which a card and resuming end', async () => {
  const subscription = await subscribed(
    { trial_period_days: 14, trial_settings: { end_behavior: { missing_payment_method: 'pause' } } },
    null,
  )
  local.advance({ days: 15 })
  const paused = await statusOf(subscription)
  const { id: method } = await stripe.paymentMethods.attach('pm_card_visa', { customer: subscription.owner.id })
  await stripe.subscriptions.update(subscription.id, { default_payment_method: method })
  await stripe.subscriptions.resume(subscription.id, { payment_behavior: 'resume_on_payment_success' })

  expect([paused, await statusOf(subscription)]).toEqual(['paused', 'active'])
})

test('a trial without a card ends the subscription, or leaves it past due, where that was asked', async () => {
  const ends = (missing_payment_method: 'cancel' | 'create_invoice') =>
    subscribed({ trial_period_days: 1, trial_settings: { end_behavior: { missing_payment_method } } }, null)
  const [canceled, late] = [await ends('cancel'), await ends('create_invoice')]
  local.advance({ days: 2 })

  expect([await statusOf(canceled), await statusOf(late)]).toEqual(['canceled', 'past_due'])
})

test('a trial can be ended now', async () => {
  const subscription = await subscribed({ trial_period_days: 14 })

  expect((await stripe.subscriptions.update(subscription.id, { trial_end: 'now' })).status).toBe('active')
})
