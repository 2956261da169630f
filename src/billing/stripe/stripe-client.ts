import type { IncomingMessage } from 'node:http'
import Stripe from 'stripe'

export interface StripeSettings {
  secretKey: string
  publishableKey: string
  /** The secrets that sign events: two while one replaces the other. */
  webhookSecrets: string[]
  /** Overrides Stripe's base URL, for tests, proxies and the emulator. */
  url?: string
  /** The timeout of a response. It is short, because a client of this API waits too. */
  timeoutMs?: number
  /** The delay before the one retry after a connection error. */
  retryDelayMs?: number
}

/** Creates the client of Stripe; no other code does. The API version is the package's own. */
export function stripeClient({
  secretKey,
  url,
  timeoutMs = 8000,
  retryDelayMs = 500,
}: Pick<StripeSettings, 'secretKey' | 'url' | 'timeoutMs' | 'retryDelayMs'>): Stripe {
  const { hostname: host, port, protocol } = new URL(url ?? 'https://api.stripe.com')
  const client = new Stripe(secretKey, {
    host,
    port: port || (protocol === 'http:' ? 80 : 443),
    protocol: protocol === 'http:' ? 'http' : 'https',
    timeout: timeoutMs,
    maxNetworkRetries: 1,
    telemetry: false,
    httpClient: withDeadline(Stripe.createNodeHttpClient()),
  })
  client.getInitialNetworkRetryDelay = () => retryDelayMs / 1000
  return client
}

/** Whether a key is for real money. */
export function isLive(secretKey: string): boolean {
  return /^[sr]k_live_/.test(secretKey)
}

type HttpClient = ReturnType<typeof Stripe.createNodeHttpClient>

/**
 * Adds a deadline for the whole response. The timeout of Stripe's client is only for the time between two chunks, so a slow
 * response would never end. JSON that is not an object is rejected, because the client hangs on it.
 */
function withDeadline(client: HttpClient): HttpClient {
  const makeRequest = client.makeRequest.bind(client)
  client.makeRequest = async (...request) => {
    const response = await makeRequest(...request)
    const readJson = response.toJSON.bind(response)
    response.toJSON = () =>
      within(request[7], readJson().then(requireObject), () => (response.getRawResponse() as IncomingMessage).destroy())
    return response
  }
  return client
}

function requireObject(json: unknown): object {
  if (typeof json !== 'object' || json === null) throw new Error('The response is not a JSON object.')
  return json
}

async function within<T>(timeoutMs: number, work: Promise<T>, end: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The response was not complete after ${timeoutMs} ms.`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } catch (error) {
    end()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
