import { Router } from 'express'
import type { DataSource } from 'typeorm'
import type { Billing } from '../billing/billing.ts'
import { receiveEvent } from '../billing/webhooks/receive-event.ts'
import { Problem, readBytes } from '../hydra/index.ts'

/** The endpoint to which Stripe delivers events. The body is read as bytes, because the signature covers the bytes. */
export function webhooks(database: DataSource, billing: Billing): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const tooLarge = () => new Problem(413, 'The body is too large. The limit is 1024 kB.')
  router.post('/webhooks/stripe', async (request, response) => {
    const body = await readBytes(request, response, { limit: 1024 * 1024, plain: true, tooLarge })
    await receiveEvent(billing, database.manager, body, request.get('stripe-signature'))
    response.set('Cache-Control', 'no-store').json({ received: true })
  })
  router.all('/webhooks/stripe', () => {
    throw new Problem(405, 'This path accepts only POST, and only from Stripe.', { Allow: 'POST' })
  })
  return router
}
