import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Billing } from '../billing/billing.ts'
import type { Config } from '../config.ts'
import { type LocalStripe, startLocalStripe } from '../emulators/stripe/server.ts'
import { StartError } from '../start/start-error.ts'

/** Our side of Stripe, and how to let go of it. */
export interface OpenedStripe {
  billing: Billing
  /** Where the local one that was started here is; undefined where the environment names the real one. */
  local: string | undefined
  /** The variables by which another process reaches what was started here. */
  environment: Record<string, string>
  close(): Promise<void>
}

/**
 * Gets ready to ask Stripe, or starts a local one that keeps its data and delivers events to this server. The file `stripe.url`
 * has its address, since its usual port may be taken.
 */
export async function openStripe({ stripe, dataDirectory, host, port, publicUrl }: Config): Promise<OpenedStripe> {
  if (stripe) return { billing: new Billing(stripe), local: undefined, environment: {}, close: async () => {} }
  const here = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host
  const { url, secretKey, publishableKey, webhookSecret, stop } = await start({
    journal: join(dataDirectory, 'stripe.jsonl'),
    webhooks: `http://${here}:${port}${new URL(publicUrl).pathname.replace(/\/$/, '')}/webhooks/stripe`,
  })
  await writeFile(join(dataDirectory, 'stripe.url'), `${url}\n`)
  const billing = new Billing({ url, secretKey, publishableKey, webhookSecrets: [webhookSecret] })
  const environment = {
    STRIPE_URL: url,
    STRIPE_SECRET_KEY: secretKey,
    STRIPE_PUBLISHABLE_KEY: publishableKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
  }
  return { billing, local: url, environment, close: stop }
}

/** At the port that stand-ins for Stripe are usually found at, if nobody else is. */
async function start(options: Parameters<typeof startLocalStripe>[0]): Promise<LocalStripe> {
  return startLocalStripe({ ...options, port: 12111 }).catch((error) => {
    if (error.code === 'EADDRINUSE') return startLocalStripe(options)
    throw new StartError(`The local Stripe cannot start: ${error.message}`)
  })
}
