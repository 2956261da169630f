import type { Route } from '../http/route.ts'
import { coupons } from './coupons.ts'
import { customers } from './customers.ts'
import { customerDeletion } from './delete-customer.ts'
import { events } from './events.ts'
import { invoices } from './invoices.ts'
import { paymentIntents } from './payment-intents.ts'
import { paymentMethods } from './payment-methods.ts'
import { prices } from './prices.ts'
import { refunds } from './refunds.ts'
import { schedules } from './schedules.ts'
import { setupIntents } from './setup-intents.ts'
import { subscriptions } from './subscriptions.ts'

/** All that it can be asked. */
export const routes: Route[] = [
  ...customers,
  ...customerDeletion,
  ...paymentMethods,
  ...prices,
  ...coupons,
  ...subscriptions,
  ...schedules,
  ...invoices,
  ...paymentIntents,
  ...setupIntents,
  ...refunds,
  ...events,
]

const paths = routes.map((route) => ({ route, steps: route.path.split('/') }))

/** The route of a request, and the values in its path. A literal path precedes one with a placeholder. */
export function findRoute(method: string, path: string): { route: Route; id: string } | undefined {
  const steps = path.split('/')
  for (const { route, steps: own } of paths) {
    if (route.method !== method || own.length !== steps.length) continue
    if (!own.every((step, place) => step === steps[place] || (step.startsWith('{') && steps[place]))) continue
    const open = own.findIndex((step) => step.startsWith('{'))
    return { route, id: open < 0 ? '' : decoded(steps[open]) }
  }
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}
