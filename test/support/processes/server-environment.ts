import { join } from 'node:path'
import { openWorld } from '../world.ts'

const { databaseName, directUrl, serverUrl, pooler, publicUrl, stripe } = await openWorld()

const { directory } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')

let count = 0

/**
 * The environment of a server in its own process on the database of the test file, with the same users. Each call names a new
 * data directory, because two servers cannot share one.
 */
export function serverEnvironment(name: string) {
  return {
    DATABASE_URL: pooler?.url ?? serverUrl ?? directUrl,
    ...(pooler && { DATABASE_DIRECT_URL: serverUrl }),
    ...(serverUrl && { DATABASE_OWNER_URL: directUrl }),
    DATA_DIR: join(directory, `${name}-${databaseName}-${count++}`),
    AUTH_ISSUER: publicUrl,
    AUTH_AUDIENCE: publicUrl,
    AUTH_JWKS_URL: `${publicUrl}/.well-known/jwks.json`,
    STRIPE_URL: stripe.url,
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_PUBLISHABLE_KEY: stripe.publishableKey,
    STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
  }
}

/** The variables of a server on another database, whose role owns the tables. */
export const onDatabase = (url: string) => ({ DATABASE_URL: url, DATABASE_OWNER_URL: '' })

/** The variables of a server that starts the embedded Postgres. */
export const embedded = onDatabase('')
