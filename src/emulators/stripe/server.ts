import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type ListenOptions, listen } from '../listen.ts'
import { runDueWork } from './billing/due-work.ts'
import { Control } from './control/control.ts'
import { OrderedFaults } from './control/ordered-faults.ts'
import { WebhookDeliveries } from './control/webhook-deliveries.ts'
import { type ApiKeys, isLiveKey } from './http/api-keys.ts'
import { requestListener } from './http/handle-request.ts'
import { StripeApi } from './http/stripe-api.ts'
import { Account } from './objects/account.ts'
import { Journal, JournalWriteError } from './objects/journal.ts'
import { seedAccount } from './objects/seeds.ts'

export interface LocalStripe {
  /** `http://127.0.0.1:<port>`, unless it listens on another address. */
  url: string
  /** The address in links. */
  publicUrl: string
  secretKey: string
  publishableKey: string
  webhookSecret: string
  /** Time, misfortune, and a look at what was asked; each of these also stands on the server itself. */
  stripe: Control
  now: Control['now']
  advance: Control['advance']
  fault: Control['fault']
  clearFaults: Control['clearFaults']
  decline: Control['decline']
  setStatusAfterRetries: Control['setStatusAfterRetries']
  expireSecretKey: Control['expireSecretKey']
  restrictSecretKey: Control['restrictSecretKey']
  sign: Control['sign']
  settled: Control['settled']
  deliveries: Control['deliveries']
  requests: Control['requests']
  stop(): Promise<void>
}

interface StripeOptions extends ListenOptions {
  /** A file in which the account outlives the server. */
  journal?: string
  /** Where events are delivered. */
  webhookUrl?: string
  /** The modules that have a monthly and a yearly price beside the seat; none by default. */
  modules?: string[]
  secretKey?: string
  publishableKey?: string
  webhookSecret?: string
}

/** Milliseconds between two runs of due work, such as renewals, when no request comes in. */
const dueWorkIntervalMs = 30_000

const random = () => randomBytes(16).toString('hex')

/** Starts a small Stripe of our own on 127.0.0.1, which the real client cannot tell from the real one. */
export async function startLocalStripe(options: StripeOptions = {}): Promise<LocalStripe> {
  const {
    webhookUrl,
    modules = [],
    secretKey = `sk_test_${random()}`,
    publishableKey = `pk_test_${random()}`,
    webhookSecret = `whsec_${random()}`,
  } = options
  if ([secretKey, publishableKey].some(isLiveKey))
    throw new Error('A live key is for Stripe itself. Give the emulator a test key.')
  const account = new Account()
  const deliveries = new WebhookDeliveries(webhookUrl, webhookSecret, (event) =>
    skipWriteErrors(() => account.markDelivered(event)),
  )
  const faults = new OrderedFaults()
  const keys: ApiKeys = { secretKey, publishableKey }
  const control = new Control(account, deliveries, faults, webhookSecret, keys)
  const server = createServer(requestListener(new StripeApi(account, keys), control, faults))
  const journal = options.journal ? new Journal(options.journal) : undefined
  journal?.open(account.store)
  account.persist = (entries) => journal?.append(entries)
  if (!account.store.size('price')) account.withoutEvents(() => seedAccount(account, modules))
  const { url, publicUrl } = await listen(server, options).catch((error) => {
    journal?.close()
    throw error
  })
  account.origin = publicUrl
  account.hasWebhookEndpoint = () => Boolean(deliveries.url)
  account.resume()
  account.onCommit = (events) => deliveries.deliverAll(events)
  const timer = setInterval(() => skipWriteErrors(() => runDueWork(account, account.now())), dueWorkIntervalMs).unref()

  const {
    now,
    advance,
    fault,
    clearFaults,
    decline,
    setStatusAfterRetries,
    expireSecretKey,
    restrictSecretKey,
    sign,
    settled,
    requests,
  } = control
  return {
    url,
    publicUrl,
    secretKey,
    publishableKey,
    webhookSecret,
    stripe: control,
    ...{
      now,
      advance,
      fault,
      clearFaults,
      decline,
      setStatusAfterRetries,
      expireSecretKey,
      restrictSecretKey,
      sign,
      settled,
      deliveries,
      requests,
    },
    async stop() {
      clearInterval(timer)
      deliveries.stop()
      await close(server)
      journal?.close()
    },
  }
}

/** Leaves for later what cannot be written down now. */
function skipWriteErrors(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof JournalWriteError)) throw error
  }
}

async function close(server: Server): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}
