import Stripe from 'stripe'

export interface StripeSettings {
  secretKey: string
  publishableKey: string
  /** Every secret that events may be signed with: two while one takes over from the other. */
  webhookSecrets: string[]
  /** Where Stripe is, when not at Stripe. */
  url?: string
  /** How long, in milliseconds, an answer is waited for; somebody waits for ours meanwhile. */
  timeout?: number
}

/** The one client of Stripe; its version of the API is the package's own. */
export function clientOf({
  secretKey,
  url,
  timeout = 8000,
}: Pick<StripeSettings, 'secretKey' | 'url' | 'timeout'>): Stripe {
  const { hostname: host, port, protocol } = new URL(url ?? 'https://api.stripe.com')
  return new Stripe(secretKey, {
    host,
    port: port || (protocol === 'http:' ? 80 : 443),
    protocol: protocol === 'http:' ? 'http' : 'https',
    timeout,
    maxNetworkRetries: 1,
    telemetry: false,
  })
}

/** Whether a key is for real money. */
export function isLive(secretKey: string): boolean {
  return /^[sr]k_live_/.test(secretKey)
}
