import type { IncomingMessage } from 'node:http'
import Stripe from 'stripe'

export interface StripeSettings {
  secretKey: string
  publishableKey: string
  /** Every secret that events may be signed with: two while one takes over from the other. */
  webhookSecrets: string[]
  /** Where Stripe is, when not at Stripe. */
  url?: string
  /** How long, in milliseconds, an answer is waited for; somebody waits for ours meanwhile. */
  timeoutMs?: number
  /** How many milliseconds later it is asked once more where it could not be reached. */
  retryDelayMs?: number
}

/** The one client of Stripe; its version of the API is the package's own. */
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
    httpClient: hasty(Stripe.createNodeHttpClient()),
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
 * By itself the client waits as long as anything comes, and for ever after JSON that is no object: this ends an answer
 * that only trickles in, and refuses one that is a mere number or text.
 */
function hasty(client: HttpClient): HttpClient {
  const make = client.makeRequest.bind(client)
  client.makeRequest = async (...request) => {
    const response = await make(...request)
    const read = response.toJSON.bind(response)
    response.toJSON = () =>
      within(request[7], read().then(object), () => (response.getRawResponse() as IncomingMessage).destroy())
    return response
  }
  return client
}

function object(json: unknown): object {
  if (typeof json !== 'object' || json === null) throw new Error('The answer is no JSON object.')
  return json
}

async function within<T>(milliseconds: number, work: Promise<T>, end: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The answer was not whole after ${milliseconds} ms.`)), milliseconds)
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
