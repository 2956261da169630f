import { Router } from 'express'
import type { DataSource } from 'typeorm'
import type { Billing } from '../billing/billing.ts'
import { receiveEvent } from '../billing/webhooks/receive-event.ts'
import { Problem, readBytes } from '../hydra/index.ts'

/** Where Stripe delivers its events. The signature is of the body as it was sent. */
export function webhooks(database: DataSource, billing: Billing): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const tooLarge = () => new Problem(413, 'The body is too large: 1024 kB is the most.')
  router.post('/webhooks/stripe', async (request, response) => {
    const body = await readBytes(request, response, { limit: 1024 * 1024, plain: true, tooLarge })
    await receiveEvent(billing, database.manager, body, request.get('stripe-signature'))
    response.set('Cache-Control', 'no-store').json({ received: true })
  })
  router.all('/webhooks/stripe', () => {
    throw new Problem(405, 'Only POST can be asked of this path, and only by Stripe.', { Allow: 'POST' })
  })
  return router
}
