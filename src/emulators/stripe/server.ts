import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { catalogue } from '../../../entities/organization-module.ts'
import { catchUp } from './billing/due-work.ts'
import { Control } from './control/control.ts'
import { Faults } from './control/ordered-faults.ts'
import { Deliveries } from './control/webhook-deliveries.ts'
import type { Keys } from './http/api-keys.ts'
import { respond } from './http/handle-request.ts'
import { Api } from './http/stripe-api.ts'
import { Account } from './objects/account.ts'
import { Journal, Unwritten } from './objects/journal.ts'
import { seed } from './objects/seeds.ts'

export interface LocalStripe {
  /** `http://127.0.0.1:<port>` */
  url: string
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
  afterRetries: Control['afterRetries']
  expire: Control['expire']
  restrict: Control['restrict']
  signed: Control['signed']
  settled: Control['settled']
  deliveries: Control['deliveries']
  requests: Control['requests']
  stop(): Promise<void>
}

interface Options {
  /** 0 takes one that is free. */
  port?: number
  /** A file in which the account outlives the server. */
  journal?: string
  /** Where events are delivered. */
  webhooks?: string
  /** The modules that have prices. */
  modules?: string[]
  secretKey?: string
  publishableKey?: string
  webhookSecret?: string
}

/** How often it is looked whether something has fallen due that nobody has asked about, in milliseconds. */
const often = 30_000

const random = () => randomBytes(16).toString('hex')

/** Starts a small Stripe of our own on 127.0.0.1, which the real client cannot tell from the real one. */
export async function startLocalStripe(options: Options = {}): Promise<LocalStripe> {
  const {
    port = 0,
    webhooks,
    modules = catalogue,
    secretKey = `sk_test_${random()}`,
    publishableKey = `pk_test_${random()}`,
    webhookSecret = `whsec_${random()}`,
  } = options
  const account = new Account()
  const deliveries = new Deliveries(webhooks, webhookSecret, (event) => forgiving(() => account.heardOf(event)))
  const faults = new Faults()
  const keys: Keys = { secretKey, publishableKey }
  const control = new Control(account, deliveries, faults, webhookSecret, keys)
  const server = createServer(respond(new Api(account, keys), control, faults))
  const journal = options.journal ? new Journal(options.journal) : undefined
  journal?.open(account.store)
  account.keep = (entries) => journal?.append(entries)
  if (!account.store.size('price')) account.found(() => seed(account, modules))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening').catch((error) => {
    journal?.close()
    throw error
  })
  account.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  account.heard = () => Boolean(deliveries.url)
  account.takeUp()
  account.onCommit = (events) => deliveries.send(events)
  const timer = setInterval(() => forgiving(() => catchUp(account, account.now())), often).unref()

  const { now, advance, fault, clearFaults, decline, afterRetries, expire, restrict, signed, settled, requests } =
    control
  return {
    url: account.origin,
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
      afterRetries,
      expire,
      restrict,
      signed,
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
function forgiving(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof Unwritten)) throw error
  }
}

async function close(server: Server): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}
