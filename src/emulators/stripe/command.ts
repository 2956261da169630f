import { type CommandOption, listenOptions, readOptions, runEmulator } from '../command.ts'
import { startLocalStripe } from './server.ts'

const option = (variable: string, description: string, value?: string): CommandOption => ({
  variable,
  description,
  default: value,
})

export const options = {
  ...listenOptions('STRIPE', '12111'),
  'webhook-url': option('STRIPE_WEBHOOK_URL', 'the webhook endpoint that receives signed events'),
  journal: option('STRIPE_JOURNAL', 'the file that keeps the account across restarts'),
  'secret-key': option('STRIPE_SECRET_KEY', 'the secret key', 'sk_test_local'),
  'publishable-key': option('STRIPE_PUBLISHABLE_KEY', 'the publishable key', 'pk_test_local'),
  'webhook-secret': option('STRIPE_WEBHOOK_SECRET', 'the secret that signs events', 'whsec_local'),
  modules: option('STRIPE_MODULES', 'the modules that have prices, separated by commas'),
}

/** Runs the emulator alone; the modules given here have prices unless the options name others. */
export async function runStripe(modules: string[] = []): Promise<void> {
  const values = readOptions(options)
  await runEmulator(values, async (listening) => {
    const { url, publicUrl, secretKey, publishableKey, webhookSecret, stop } = await startLocalStripe({
      ...listening,
      webhookUrl: values['webhook-url'],
      journal: values.journal,
      secretKey: values['secret-key'],
      publishableKey: values['publishable-key'],
      webhookSecret: values['webhook-secret'],
      modules: values.modules?.split(',') ?? modules,
    })
    const lines = [
      `Stripe emulator: ${url}`,
      `Address in links: ${publicUrl}`,
      `Secret key: ${secretKey}`,
      `Publishable key: ${publishableKey}`,
      `Webhook secret: ${webhookSecret}`,
      `Webhook endpoint: ${values['webhook-url'] ?? 'none'}`,
    ]
    return { lines, stop }
  })
}
