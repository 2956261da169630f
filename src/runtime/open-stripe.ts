import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { catalogue } from '../../entities/organization-module.ts'
import { Billing } from '../billing/billing.ts'
import type { Config } from '../config.ts'
import { type LocalStripe, startLocalStripe } from '../emulators/stripe/server.ts'
import { StartError } from '../start/start-error.ts'

/** The connection to Stripe, and the emulator if this process started it. */
export interface OpenedStripe {
  billing: Billing
  /** The URL of the emulator; undefined when the environment names a Stripe account. */
  local: string | undefined
  /** The variables with which another process connects to the same emulator. */
  environment: Record<string, string>
  close(): Promise<void>
}

/**
 * Connects to Stripe, or starts the emulator, which stores its data and delivers events to this server. The file `stripe.url`
 * contains the URL of the emulator, because its usual port may be in use.
 */
export async function openStripe({ stripe, dataDirectory, host, port, publicUrl }: Config): Promise<OpenedStripe> {
  if (stripe) return { billing: new Billing(stripe), local: undefined, environment: {}, close: async () => {} }
  const here = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host
  const { url, secretKey, publishableKey, webhookSecret, stop } = await start({
    journal: join(dataDirectory, 'stripe.jsonl'),
    modules: catalogue,
    webhookUrl: `http://${here}:${port}${new URL(publicUrl).pathname.replace(/\/$/, '')}/webhooks/stripe`,
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

/** Starts the emulator at the usual port of Stripe emulators, or at a free port if that one is in use. */
async function start(options: Parameters<typeof startLocalStripe>[0]): Promise<LocalStripe> {
  return startLocalStripe({ ...options, port: 12111 }).catch((error) => {
    if (error.code === 'EADDRINUSE') return startLocalStripe(options)
    throw new StartError(`The local Stripe cannot start: ${error.message}`)
  })
}
