import express, { Router } from 'express'
import type { DataSource } from 'typeorm'
import type { Billing } from '../billing/billing.ts'
import { receive } from '../billing/inbox.ts'
import { Problem } from '../hydra/problem.ts'

/** Where Stripe delivers its events. What is signed is the body as it came, so nothing may read it before. */
export function webhooks(database: DataSource, billing: Billing): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const raw = express.raw({ type: () => true, limit: '1mb', inflate: false })
  router.post('/webhooks/stripe', raw, async (request, response) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    await receive(billing, database.manager, body, request.get('stripe-signature'))
    response.set('Cache-Control', 'no-store').json({ received: true })
  })
  router.all('/webhooks/stripe', () => {
    throw new Problem(405, 'Only POST can be asked of this path, and only by Stripe.', { Allow: 'POST' })
  })
  return router
}
