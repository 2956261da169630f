import Stripe from 'stripe'
import type { EntityManager } from 'typeorm'
import { checkDepth, Problem } from '../../hydra/index.ts'
import type { Billing } from '../billing.ts'
import { enqueueCustomerSync } from '../sync/sync-customer-job.ts'
import { customerIdOfEvent, isStripeName, objectIdOfEvent } from './event-fields.ts'

/** The most seconds between a signature and now. Stripe's client checks only the past, so the future is checked here. */
const toleranceSeconds = 300

/**
 * Stores a delivered event and enqueues a sync of its customer, both in one statement. A repeated delivery changes nothing.
 * The payload is stored only for a customer of this server: other events of the account may be about strangers.
 * @throws Problem 400 when the signature is invalid or too old; nothing is stored
 */
export async function receiveEvent(
  billing: Billing,
  manager: EntityManager,
  body: Buffer,
  signature: string | undefined,
): Promise<void> {
  const event = verify(billing, body, signature)
  const customer = customerIdOfEvent(event)
  const [job] = await manager.query(
    `WITH "stored" AS (
      INSERT INTO "stripe_event" ("id", "type", "customerId", "objectId", "created", "payload", "status", "attempts")
        VALUES ($1, $2, $3, $4, to_timestamp($5), CASE WHEN EXISTS (SELECT FROM "organization" WHERE "stripeCustomerId" = $3)
          THEN $6::jsonb ELSE '{}' END, CASE WHEN $3::text IS NULL THEN 'ignored' ELSE 'pending' END, 0)
        ON CONFLICT ("id") DO NOTHING RETURNING "customerId")
    SELECT (graphile_worker.add_job('followCustomer', json_build_object('customer', "customerId"), job_key := 'customer:' || "customerId",
      job_key_mode := 'preserve_run_at'))."id" FROM "stored" WHERE "customerId" IS NOT NULL`,
    [event.id, event.type, customer, customer && objectIdOfEvent(event), timestampOf(event), storableJson(event)],
  )
  // A sync that has just started was not enqueued again, and may have missed the event.
  if (job?.id === null) await enqueueCustomerSync(manager, customer as string)
}

function verify({ webhookSecrets, live }: Billing, body: Buffer, signature: string | undefined): Stripe.Event {
  const event = webhookSecrets.map((secret) => parseSigned(body, signature, secret)).find(Boolean)
  const timestamps = [...(signature ?? '').matchAll(/(?:^|,)\s*t=([^,]*)/g)].map(([, timestamp]) => Number(timestamp))
  if (!event || !timestamps.every((timestamp) => timestamp <= Date.now() / 1000 + toleranceSeconds))
    throw new Problem(
      400,
      'The Stripe-Signature is missing or invalid, or its timestamp is more than 300 seconds from now.',
    )
  if (event.livemode !== live && !(isThin(event) && event.livemode === undefined))
    throw new Problem(
      400,
      `This server accepts only events of ${live ? 'live' : 'test'} mode, and the event is of the other mode.`,
    )
  if (!isStripeName(event.id) || !isStripeName(event.type) || !(isThin(event) || isObject(event.data?.object)))
    throw new Problem(400, 'The body is not an event of Stripe.')
  checkDepth(body.toString())
  return event
}

/** A thin event of Stripe's v2 API: it contains the id of its object, not the object. Such events are ignored. */
function isThin({ object }: { object: string }): boolean {
  return object === 'v2.core.event'
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** The time of an event in seconds since 1970; now, when Postgres cannot store it. */
function timestampOf({ created }: Stripe.Event): number {
  return Number.isInteger(created) && created >= 0 && created < 253_402_300_800
    ? created
    : Math.floor(Date.now() / 1000)
}

/**
 * The event as JSON for Postgres. Postgres cannot store U+0000 and lone surrogates, so they become U+FFFD. Client secrets, with
 * which payments are confirmed, are removed.
 */
function storableJson(event: Stripe.Event): string {
  const json = JSON.stringify(event, (name, value) => (name === 'client_secret' ? undefined : value))
  return json.replace(/\\(u....|.)/g, (part) => (/^\\u(0000|d)/.test(part) ? '\\ufffd' : part))
}

function parseSigned(body: Buffer, signature: string | undefined, secret: string): Stripe.Event | undefined {
  try {
    // Not `constructEvent`, which rejects thin events.
    const signed = Stripe.webhooks.signature?.verifyHeader(body, signature ?? '', secret, toleranceSeconds)
    return signed ? JSON.parse(body.toString()) : undefined
  } catch {
    return undefined
  }
}
