import type Stripe from 'stripe'

/** What can change what is shown here; everything else is acknowledged and ignored. */
const heeded =
  /^(customer\.(updated|deleted|subscription\.\w+|discount\.\w+)|invoice\.(?!upcoming|created)\w+|payment_method\.(attached|detached|updated|automatically_updated)|checkout\.session\.\w+|setup_intent\.succeeded)$/

type Referring = { id?: unknown; object?: unknown; customer?: unknown }

/** Whose state may have changed with an event, by Stripe's id; null where it is nobody's, or tells nothing of use. */
export function customerIdOfEvent({ type, data }: Stripe.Event): string | null {
  if (!heeded.test(type) || !data?.object) return null
  const { id, object, customer } = data.object as Referring
  const former = (data.previous_attributes as Referring | null | undefined)?.customer
  return named(object === 'customer' ? id : (customer ?? former))
}

/** What an event is about, by Stripe's id. */
export function objectIdOfEvent({ data }: Stripe.Event): string | null {
  return named((data.object as Referring).id)
}

/** Whether it can be what Stripe calls something. */
export function isStripeName(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,255}$/.test(value)
}

function named(reference: unknown): string | null {
  if (typeof reference === 'string') return isStripeName(reference) ? reference : null
  const id = (reference as Referring | null | undefined)?.id
  return isStripeName(id) ? id : null
}
