import { resolve } from 'node:path'
import { defaultLifetime } from './access/token-issuer-keys.ts'
import type { KontomatikAccess } from './banking/kontomatik/connection.ts'
import type { StripeSettings } from './billing/stripe/stripe-client.ts'
import { defaultGraceDays } from './closing/grace-period.ts'
import { type Auth, readAuth } from './environment/access.ts'
import { readKontomatik, readRedirects, readSecretKeys } from './environment/banking.ts'
import { readDatabaseUrl, readDirectUrl, readOwnerUrl, readReplicaUrls } from './environment/database.ts'
import { readCorsOrigins, readExplorer, readHost, readPublicUrl, readTrustProxy } from './environment/http.ts'
import { readSmtp } from './environment/mail.ts'
import { readStripe } from './environment/stripe.ts'
import { readTraces, type TraceSettings } from './environment/traces.ts'
import { Variables } from './environment/variables.ts'
import { readAllowedHosts } from './environment/webhooks.ts'
import type { MailSettings } from './mail/mailer.ts'
import type { SecretKey } from './secrets/sealed-text.ts'

/** The settings from the environment, checked once. Every variable has a default that works on a fresh machine. */
export interface Config {
  port: number
  host: string
  publicUrl: string
  dataDirectory: string
  databaseUrl: string | undefined
  /** The URL of Postgres itself where `databaseUrl` leads to a pooler. */
  directUrl: string | undefined
  /** The URL of Postgres itself for the owner of the tables, where `databaseUrl` names another role. */
  ownerUrl: string | undefined
  /** The URLs of replicas that collections are read from. */
  replicas: string[]
  /** Connections to the database, for each process. */
  pool: number
  /** The number of serving processes. */
  workers: number
  /** The folder of another Postgres's binaries for the embedded one. */
  pgbin: string | undefined
  /** Undefined where the local Stripe is used. */
  stripe: StripeSettings | undefined
  /** Undefined where mails are kept in files and not sent. */
  smtp: MailSettings | undefined
  /** Undefined where the local Kontomatik is used. */
  kontomatik: KontomatikAccess | undefined
  /** Allowed return addresses after a sign-in at a bank; `local` allows any port of this machine. */
  redirects: string[] | 'local' | undefined
  /** The keys that encrypt bank consents and sessions; undefined where a key in the data directory does. */
  secrets: SecretKey[] | undefined
  /** Hosts at private addresses that webhooks may reach. */
  webhookHosts: string[]
  /** Seals and opens backups; undefined where the terminal asks for it. */
  backupPassphrase: string | undefined
  /** The provider of tokens; undefined where the server issues its own. */
  auth: Auth | undefined
  /** The longest lifetime of a token that is accepted, in seconds. */
  maxTokenLifetime: number
  corsOrigins: string[] | '*'
  trustProxy: boolean | number | string
  /** The most organizations, closed ones aside, that a user may own; undefined for the default. */
  ownedOrganizations: number | undefined
  /** Days from the closing of an organization to its deletion. */
  graceDays: number
  /** Requests a minute for one caller; undefined where rate limits are off. */
  limits: { usual: number; few: number } | undefined
  logLevel: string
  /** Undefined where no traces are recorded. */
  traces: TraceSettings | undefined
  /** Whether Hydra's terms have the prefix `hydra:`. */
  hydraPrefix: boolean
  /** Whether the explorer's pages and its sign-in are served. */
  explorer: boolean
  production: boolean
}

/** Whether the server writes to its data directory, which replaces every service that is not configured. */
export function usesDataDirectory({ databaseUrl, stripe, kontomatik, smtp, auth, secrets }: Config): boolean {
  return !(databaseUrl && stripe && kontomatik && smtp && auth && secrets)
}

/** Enough for a person with a few open pages, and for a program that sends one request after the other. */
const limits = { usual: 600, few: 10 }

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

/** @throws StartError with a line for each variable that is missing or invalid */
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
    directUrl: readDirectUrl(variables),
    ownerUrl: readOwnerUrl(variables),
    replicas: readReplicaUrls(variables),
    pool: variables.integer('DATABASE_POOL', variables.text('DATABASE_POOL') ?? '10', 1, 1000),
    workers: variables.integer('WORKERS', variables.text('WORKERS') ?? '1', 1, 64),
    pgbin: variables.text('PGBIN'),
    stripe: readStripe(variables),
    smtp: readSmtp(variables),
    kontomatik: readKontomatik(variables),
    redirects: readRedirects(variables),
    secrets: readSecretKeys(variables),
    webhookHosts: readAllowedHosts(variables),
    backupPassphrase: variables.text('BACKUP_PASSPHRASE'),
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
    graceDays: variables.integer(
      'DELETION_GRACE_DAYS',
      variables.text('DELETION_GRACE_DAYS') ?? `${defaultGraceDays}`,
      1,
      3650,
    ),
    limits:
      variables.oneOf('RATE_LIMITS', variables.text('RATE_LIMITS') ?? (production ? 'on' : 'off'), ['on', 'off']) ===
      'on'
        ? limits
        : undefined,
    logLevel: variables.oneOf('LOG_LEVEL', variables.text('LOG_LEVEL') ?? 'info', levels),
    traces: readTraces(variables),
    hydraPrefix:
      variables.oneOf('HYDRA_PREFIX', variables.text('HYDRA_PREFIX') ?? 'false', ['true', 'false']) === 'true',
    explorer: readExplorer(variables),
    production,
  }
  variables.finish()
  return config
}
