import type { StripeSettings } from '../billing/stripe/stripe-client.ts'
import { quoteWithoutSecrets } from '../start/quote.ts'
import type { Variables } from './variables.ts'

const names = ['STRIPE_SECRET_KEY', 'STRIPE_PUBLISHABLE_KEY', 'STRIPE_WEBHOOK_SECRET']

/** How to reach Stripe; undefined where the local emulator replaces it. */
export function readStripe(variables: Variables): StripeSettings | undefined {
  const secretKey = variables.text('STRIPE_SECRET_KEY')
  const publishableKey = variables.text('STRIPE_PUBLISHABLE_KEY')
  const webhookSecrets = variables
    .text('STRIPE_WEBHOOK_SECRET')
    ?.split(',')
    .map((secret) => secret.trim())
  const urlText = variables.text('STRIPE_URL')
  const url = urlText && hostOnly(variables, urlText)
  if (secretKey && !/^[sr]k_(live|test)_\S+$/.test(secretKey))
    variables.addError(
      'STRIPE_SECRET_KEY must be a secret key of Stripe: sk_live_…, sk_test_…, rk_live_… or rk_test_….',
    )
  if (publishableKey && !/^pk_(live|test)_\S+$/.test(publishableKey))
    variables.addError('STRIPE_PUBLISHABLE_KEY must be a publishable key of Stripe: pk_live_… or pk_test_….')
  else if (secretKey && publishableKey && secretKey.split('_')[1] !== publishableKey.split('_')[1])
    variables.addError('STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY must have the same mode, live or test.')
  if (webhookSecrets && !webhookSecrets.every((secret) => /^whsec_\S+$/.test(secret)))
    variables.addError(
      'STRIPE_WEBHOOK_SECRET must be a signing secret of Stripe (whsec_…), or several separated by commas.',
    )
  const complete = variables.allOrNone(names, 'the local Stripe is for development only.')
  if (urlText && !variables.production && !names.some((name) => variables.text(name)))
    variables.addError(
      'STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and STRIPE_WEBHOOK_SECRET must be set when STRIPE_URL is set.',
    )
  return complete && secretKey && publishableKey && webhookSecrets
    ? { secretKey, publishableKey, webhookSecrets, ...(url && { url }) }
    : undefined
}

/** A URL without a path: Stripe's client library adds the paths. */
function hostOnly(variables: Variables, text: string): string | undefined {
  const url = variables.url('STRIPE_URL', text, 'http://127.0.0.1:12111')
  if (url && !/^https?:\/\/[^/?#@]+$/.test(url))
    variables.addError(
      `STRIPE_URL must be a host alone, such as http://127.0.0.1:12111, not ${quoteWithoutSecrets(text)}.`,
    )
  return url
}
