import { join } from 'node:path'
import { database, publicUrl, stripe } from '../world.ts'

const { host, port, user, directory } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')

let rooms = 0

/**
 * What a server of its own process needs to stand upon the database of the test file; whoever is somebody here is so there.
 * Each call names a data directory of its own, as two servers cannot share one.
 */
export function serverEnvironment(room: string) {
  return {
    DATABASE_URL: `postgres://${user}@localhost:${port}/${database.options.database}?host=${host}`,
    DATA_DIR: join(directory, `${room}-${database.options.database}-${rooms++}`),
    AUTH_ISSUER: publicUrl,
    AUTH_AUDIENCE: publicUrl,
    AUTH_JWKS_URL: `${publicUrl}/.well-known/jwks.json`,
    STRIPE_URL: stripe.url,
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_PUBLISHABLE_KEY: stripe.publishableKey,
    STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
  }
}
