import { createHmac } from 'node:crypto'
import { StripeEvent } from '../../../entities/index.ts'
import { type Answer, raw } from '../requests/raw-responses.ts'
import { database, stripe } from '../world.ts'

const path = '/webhooks/stripe'
const run = Date.now().toString(36)
let events = 0

/** An event such as Stripe tells of: about an object, with anything else said otherwise where it matters. */
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

/** What Stripe sends along so that its body is believed. */
export function signatureFor(
  body: string | Buffer,
  {
    secret = stripe.webhookSecret,
    timestamp = Math.floor(Date.now() / 1000),
  }: { secret?: string; timestamp?: number } = {},
): string {
  return `t=${timestamp},v1=${createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')}`
}

/** Delivers a body as Stripe does, under a signature that is right unless another is given; none with null. */
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
