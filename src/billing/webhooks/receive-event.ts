import Stripe from 'stripe'
import type { EntityManager } from 'typeorm'
import { checkDepth, Problem } from '../../hydra/index.ts'
import type { Billing } from '../billing.ts'
import { enqueueCustomerSync } from '../sync/sync-customer-job.ts'
import { customerIdOfEvent, isStripeName, objectIdOfEvent } from './event-fields.ts'

/** How many seconds a signature may be older or younger than now; the client of Stripe checks the first alone. */
const tolerance = 300

/**
 * Stores an event that Stripe has delivered, and has its customer looked at: both in one statement, so in one transaction.
 * What is delivered again is there already and changes nothing. Its payload is kept for a customer of ours alone: other
 * events on the account are about people who have nothing to do with this server.
 * @throws Problem 400 where it is not signed by Stripe, now and for this server; nothing is kept of it
 */
export async function receiveEvent(
  billing: Billing,
  manager: EntityManager,
  body: Buffer,
  signature: string | undefined,
): Promise<void> {
  const event = verified(billing, body, signature)
  const customer = customerIdOfEvent(event)
  const [job] = await manager.query(
    `WITH "stored" AS (
      INSERT INTO "stripe_event" ("id", "type", "customerId", "objectId", "created", "payload", "status", "attempts")
        VALUES ($1, $2, $3, $4, to_timestamp($5), CASE WHEN EXISTS (SELECT FROM "organization" WHERE "stripeCustomerId" = $3)
          THEN $6::jsonb ELSE '{}' END, CASE WHEN $3::text IS NULL THEN 'ignored' ELSE 'pending' END, 0)
        ON CONFLICT ("id") DO NOTHING RETURNING "customerId")
    SELECT (graphile_worker.add_job('followCustomer', json_build_object('customer', "customerId"), job_key := 'customer:' || "customerId",
      job_key_mode := 'preserve_run_at'))."id" FROM "stored" WHERE "customerId" IS NOT NULL`,
    [event.id, event.type, customer, customer && objectIdOfEvent(event), momentOf(event), storable(event)],
  )
  // A look that began at this very moment may have missed it, and was not ordered anew.
  if (job?.id === null) await enqueueCustomerSync(manager, customer as string)
}

function verified({ webhookSecrets, live }: Billing, body: Buffer, signature: string | undefined): Stripe.Event {
  const event = webhookSecrets.map((secret) => opened(body, signature, secret)).find(Boolean)
  const moments = [...(signature ?? '').matchAll(/(?:^|,)\s*t=([^,]*)/g)].map(([, moment]) => Number(moment))
  if (!event || !moments.every((moment) => moment <= Date.now() / 1000 + tolerance))
    throw new Problem(400, 'This is not signed by Stripe with a secret of this server, or not just now.')
  if (event.livemode !== live && !(isThin(event) && event.livemode === undefined))
    throw new Problem(400, `This server follows ${live ? 'live' : 'test'} mode, and the event is of the other.`)
  if (!isStripeName(event.id) || !isStripeName(event.type) || !(isThin(event) || isObject(event.data?.object)))
    throw new Problem(400, 'This is no event.')
  checkDepth(body.toString())
  return event
}

/** An event of Stripe's second API: it only names what it is about. No state follows from one here, so it is ignored. */
function isThin({ object }: { object: string }): boolean {
  return object === 'v2.core.event'
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** When it happened, in seconds; now, where that is no moment that can be stored. */
function momentOf({ created }: Stripe.Event): number {
  return Number.isInteger(created) && created >= 0 && created < 253_402_300_800
    ? created
    : Math.floor(Date.now() / 1000)
}

/**
 * The event as JSON that Postgres can keep: what it takes nowhere, U+0000 and half a surrogate pair, becomes U+FFFD; and
 * without the secrets with which payments are confirmed, which are not to be kept.
 */
function storable(event: Stripe.Event): string {
  const json = JSON.stringify(event, (name, value) => (name === 'client_secret' ? undefined : value))
  return json.replace(/\\(u....|.)/g, (part) => (/^\\u(0000|d)/.test(part) ? '\\ufffd' : part))
}

function opened(body: Buffer, signature: string | undefined, secret: string): Stripe.Event | undefined {
  try {
    // The client's own reader of events refuses those of the second API.
    const signed = Stripe.webhooks.signature?.verifyHeader(body, signature ?? '', secret, tolerance)
    return signed ? JSON.parse(body.toString()) : undefined
  } catch {
    return undefined
  }
}
