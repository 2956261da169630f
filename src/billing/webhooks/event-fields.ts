import type Stripe from 'stripe'

/** The events that can change stored state. Other events are acknowledged and ignored. */
const relevantTypes =
  /^(customer\.(updated|deleted|subscription\.\w+|discount\.\w+)|invoice\.(?!upcoming|created)\w+|payment_method\.(attached|detached|updated|automatically_updated)|checkout\.session\.\w+|setup_intent\.succeeded)$/

type Reference = { id?: unknown; object?: unknown; customer?: unknown }

/** Stripe's id of the customer whose state an event may have changed; null for an irrelevant event or one without a customer. */
export function customerIdOfEvent({ type, data }: Stripe.Event): string | null {
  if (!relevantTypes.test(type) || !data?.object) return null
  const { id, object, customer } = data.object as Reference
  const former = (data.previous_attributes as Reference | null | undefined)?.customer
  return validIdOf(object === 'customer' ? id : (customer ?? former))
}

/** Stripe's id of the object of an event. */
export function objectIdOfEvent({ data }: Stripe.Event): string | null {
  return validIdOf((data.object as Reference).id)
}

/** Whether a value can be an id or a type of Stripe: 1 to 255 printable ASCII characters. */
export function isStripeName(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,255}$/.test(value)
}

function validIdOf(reference: unknown): string | null {
  if (typeof reference === 'string') return isStripeName(reference) ? reference : null
  const id = (reference as Reference | null | undefined)?.id
  return isStripeName(id) ? id : null
}
