import Stripe from 'stripe'
import type { LocalStripe } from '../../../src/emulators/stripe/server.ts'

/** Stripe's own client, which asks a Stripe of our own, and asks once. */
export const clientOf = ({ url, secretKey }: LocalStripe, key = secretKey) =>
  new Stripe(key, {
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 0,
  })

/** The error of a request that must be refused; throws if the request succeeds. */
export const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => {
      throw new Error('It was not refused.')
    },
    (error: Stripe.errors.StripeError) => error,
  )
