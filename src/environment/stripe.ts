import type { StripeSettings } from '../billing/stripe.ts'
import { type Text, url } from './reading.ts'

/** How to speak to Stripe; undefined where a local one stands in for it. */
export function stripe(text: Text, production: boolean): StripeSettings | undefined {
  const [secretKey, publishableKey, secrets] = [
    text('STRIPE_SECRET_KEY'),
    text('STRIPE_PUBLISHABLE_KEY'),
    text('STRIPE_WEBHOOK_SECRET'),
  ]
  const given = text('STRIPE_URL')
  if (!secretKey && !publishableKey && !secrets && !given) {
    if (!production) return undefined
    throw new Error(
      'STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and STRIPE_WEBHOOK_SECRET must be set in production: the local Stripe is for development only.',
    )
  }
  if (!secretKey || !publishableKey || !secrets)
    throw new Error(
      'STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and STRIPE_WEBHOOK_SECRET are set together or not at all.',
    )
  if (!/^[sr]k_(live|test)_\S+$/.test(secretKey))
    throw new Error('STRIPE_SECRET_KEY must be a secret key of Stripe: sk_live_…, sk_test_…, rk_live_… or rk_test_….')
  if (!/^pk_(live|test)_\S+$/.test(publishableKey))
    throw new Error('STRIPE_PUBLISHABLE_KEY must be a publishable key of Stripe: pk_live_… or pk_test_….')
  if (secretKey.split('_')[1] !== publishableKey.split('_')[1])
    throw new Error('STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY must be of the same mode, live or test.')
  const webhookSecrets = secrets.split(',').map((secret) => secret.trim())
  if (!webhookSecrets.every((secret) => /^whsec_\S+$/.test(secret)))
    throw new Error(
      'STRIPE_WEBHOOK_SECRET must be a signing secret of Stripe (whsec_…), or several separated by commas.',
    )
  return { secretKey, publishableKey, webhookSecrets, ...(given && { url: stripeUrl(given) }) }
}

/** The client of Stripe adds the paths by itself. */
function stripeUrl(value: string): string {
  const checked = url('STRIPE_URL', value)
  if (!/^https?:\/\/[^/?#@]+$/.test(checked))
    throw new Error('STRIPE_URL must be a host alone, such as http://127.0.0.1:12111.')
  return checked
}
