import { createHmac } from 'node:crypto'
import { StripeEvent } from '../../../entities/index.ts'
import { type Answer, raw } from '../requests/raw-responses.ts'
import { openWorld } from '../world.ts'

const { database, stripe } = await openWorld()

const path = '/webhooks/stripe'
const run = Date.now().toString(36)
let events = 0

/** Creates an event about an object, as Stripe sends it; `values` override the other properties. */
export function createEvent(type: string, object: unknown, values: object = {}) {
  events += 1
  return {
    id: `evt_${run}${events}`,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: Math.floor(Date.now() / 1000),
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
    ...values,
  }
}

/** The value of the header Stripe-Signature for a body. */
export function signatureFor(
  body: string | Buffer,
  {
    secret = stripe.webhookSecret,
    timestamp = Math.floor(Date.now() / 1000),
  }: { secret?: string; timestamp?: number } = {},
): string {
  return `t=${timestamp},v1=${createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')}`
}

/** Delivers a body as Stripe does, with a valid signature, another one, or, with null, none. */
export function deliverBody(
  body: string | Buffer,
  signature: string | null = signatureFor(body),
  headers: Record<string, string> = {},
): Promise<Answer> {
  const signed: Record<string, string> = signature === null ? {} : { 'Stripe-Signature': signature }
  return raw('POST', path, { 'Content-Type': 'application/json; charset=utf-8', ...signed, ...headers }, body)
}

export function deliver(event: object): Promise<Answer> {
  return deliverBody(JSON.stringify(event))
}

export function storedEvent(id: string): Promise<StripeEvent | null> {
  return database.manager.findOneBy(StripeEvent, { id })
}
