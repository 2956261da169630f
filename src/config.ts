import { resolve } from 'node:path'
import { defaultLifetime } from './access/token-issuer-keys.ts'
import type { KontomatikAccess } from './banking/kontomatik/connection.ts'
import type { SecretKey } from './banking/secrets.ts'
import type { StripeSettings } from './billing/stripe/stripe-client.ts'
import { type Auth, readAuth } from './environment/access.ts'
import { readKontomatik, readRedirects, readSecretKeys } from './environment/banking.ts'
import { readDatabaseUrl, readReplicaUrls } from './environment/database.ts'
import { readCorsOrigins, readHost, readPublicUrl, readTrustProxy } from './environment/http.ts'
import { readSmtp } from './environment/mail.ts'
import { readStripe } from './environment/stripe.ts'
import { Variables } from './environment/variables.ts'
import type { MailSettings } from './mail/mailer.ts'

/** What the environment settles, checked once; every variable has a default that works on a bare machine. */
export interface Config {
  port: number
  host: string
  publicUrl: string
  dataDirectory: string
  databaseUrl: string | undefined
  /** Where lists may be read instead. */
  replicas: string[]
  pool: number
  /** How many processes serve. */
  workers: number
  pgbin: string | undefined
  /** Undefined where a local Stripe stands in for the real one. */
  stripe: StripeSettings | undefined
  /** Undefined where mails are kept in files instead of being sent. */
  smtp: MailSettings | undefined
  /** Undefined where a local Kontomatik stands in for the real one. */
  kontomatik: KontomatikAccess | undefined
  /** Where people may be sent back to from signing in at their bank; `local` is anywhere on this machine. */
  redirects: string[] | 'local' | undefined
  /** Undefined where a key of the data directory seals secrets. */
  secrets: SecretKey[] | undefined
  auth: Auth | undefined
  /** Seconds that a token may live at most, from when it was issued. */
  maxTokenLifetime: number
  corsOrigins: string[] | '*'
  trustProxy: boolean | number | string
  /** How many organizations that are not closed a user may own; undefined for the usual number. */
  ownedOrganizations: number | undefined
  /** How many requests a minute somebody may send; undefined where nobody counts. */
  limits: { usual: number; few: number } | undefined
  logLevel: string
  hydraPrefix: boolean
  production: boolean
}

/** Whether the server writes to its data directory: everything that no other service keeps for it is kept there. */
export function usesDataDirectory({ databaseUrl, stripe, kontomatik, smtp, auth, secrets }: Config): boolean {
  return !(databaseUrl && stripe && kontomatik && smtp && auth && secrets)
}

/** What is enough for a person with a few open pages, and for a program that waits its turn. */
const limits = { usual: 600, few: 10 }

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

/** @throws a StartError with a line for each variable that is missing or bad */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const variables = new Variables(environment)
  const { production } = variables
  const host = readHost(variables)
  const port = variables.integer('PORT', variables.text('PORT') ?? '3000', 0, 65_535)
  const owned = variables.text('OWNED_ORGANIZATIONS')
  const config = {
    port,
    host,
    publicUrl: readPublicUrl(variables, host, port),
    dataDirectory: resolve(variables.text('DATA_DIR') ?? '.data'),
    databaseUrl: readDatabaseUrl(variables),
    replicas: readReplicaUrls(variables),
    pool: variables.integer('DATABASE_POOL', variables.text('DATABASE_POOL') ?? '10', 1, 1000),
    workers: variables.integer('WORKERS', variables.text('WORKERS') ?? '1', 1, 64),
    pgbin: variables.text('PGBIN'),
    stripe: readStripe(variables),
    smtp: readSmtp(variables),
    kontomatik: readKontomatik(variables),
    redirects: readRedirects(variables),
    secrets: readSecretKeys(variables),
    auth: readAuth(variables),
    maxTokenLifetime: variables.integer(
      'AUTH_MAX_LIFETIME',
      variables.text('AUTH_MAX_LIFETIME') ?? `${defaultLifetime}`,
      60,
      31_536_000,
    ),
    corsOrigins: readCorsOrigins(variables),
    trustProxy: readTrustProxy(variables),
    ownedOrganizations: owned === undefined ? undefined : variables.integer('OWNED_ORGANIZATIONS', owned, 1, 1_000_000),
    limits:
      variables.oneOf('RATE_LIMITS', variables.text('RATE_LIMITS') ?? (production ? 'on' : 'off'), ['on', 'off']) ===
      'on'
        ? limits
        : undefined,
    logLevel: variables.oneOf('LOG_LEVEL', variables.text('LOG_LEVEL') ?? 'info', levels),
    hydraPrefix:
      variables.oneOf('HYDRA_PREFIX', variables.text('HYDRA_PREFIX') ?? 'false', ['true', 'false']) === 'true',
    production,
  }
  variables.finish()
  return config
}
