import { refusal } from '../local-client.ts'
import { invoicesOf, local, statusOf, stripe, subscribed } from './customers.ts'

test('it ends with its period when that was asked, unless that was taken back', async () => {
  const [ending, staying] = [await subscribed(), await subscribed()]
  const asked = await stripe.subscriptions.update(ending.id, { cancel_at_period_end: true })
  await stripe.subscriptions.update(staying.id, { cancel_at_period_end: true })
  await stripe.subscriptions.update(staying.id, { cancel_at_period_end: false })
  local.advance({ days: 32 })

  expect(asked).toMatchObject({ status: 'active', cancel_at: asked.items.data[0].current_period_end })
  expect([await statusOf(ending), await statusOf(staying)]).toEqual(['canceled', 'active'])
  expect(await invoicesOf(ending)).toHaveLength(1)
})

test('canceled at once it is over, is hidden from the list, and cannot be canceled again', async () => {
  const { id, owner } = await subscribed()
  const canceled = await stripe.subscriptions.cancel(id, { cancellation_details: { comment: 'Moved' } })

  expect(canceled).toMatchObject({ status: 'canceled', cancellation_details: { comment: 'Moved' } })
  expect((await stripe.subscriptions.list({ customer: owner.id })).data).toEqual([])
  expect((await stripe.subscriptions.list({ customer: owner.id, status: 'all' })).data).toHaveLength(1)
  expect(await refusal(stripe.subscriptions.cancel(id))).toMatchObject({ statusCode: 404, code: 'resource_missing' })
  expect((await refusal(stripe.subscriptions.update(id, { cancel_at_period_end: true }))).statusCode).toBe(400)
})
