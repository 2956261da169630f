import { isIPv6 } from 'node:net'
import { resolve } from 'node:path'
import { usualLifetime } from './access/keys.ts'
import type { Access } from './banking/connection.ts'
import type { SecretKey } from './banking/secrets.ts'
import type { StripeSettings } from './billing/stripe.ts'
import { type Auth, auth } from './environment/access.ts'
import { kontomatik, redirects, secrets } from './environment/banking.ts'
import { databaseUrl, replicaUrls } from './environment/database.ts'
import { origins, publicUrl, trusted } from './environment/http.ts'
import { smtp } from './environment/mail.ts'
import { oneOf, type Text, whole } from './environment/reading.ts'
import { stripe } from './environment/stripe.ts'
import type { MailSettings } from './mail/mail.ts'

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
  kontomatik: Access | undefined
  /** Where people may be sent back to from signing in at their bank; `local` is anywhere on this machine. */
  redirects: string[] | 'local' | undefined
  /** Undefined where a key of the data directory seals secrets. */
  secrets: SecretKey[] | undefined
  auth: Auth | undefined
  /** Seconds that a token may live at most, from when it was issued. */
  maxTokenLifetime: number
  corsOrigins: string[] | '*'
  trustProxy: boolean | number | string
  /** How many requests a minute somebody may send; undefined where nobody counts. */
  limits: { usual: number; few: number } | undefined
  logLevel: string
  hydraPrefix: boolean
  production: boolean
}

/** What is enough for a person with a few open pages, and for a program that waits its turn. */
const limits = { usual: 600, few: 10 }

/** @throws an Error with one sentence about the first variable that is missing or bad. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const text: Text = (name) => environment[name]?.trim() || undefined
  const production = text('NODE_ENV') === 'production'
  const host = text('HOST') ?? '127.0.0.1'
  const port = whole('PORT', text('PORT') ?? '3000', 0, 65_535)
  const needed = (name: string) => {
    const value = text(name)
    if (production && !value) throw new Error(`${name} must be set in production: the default is for development only.`)
    return value
  }
  return {
    port,
    host,
    publicUrl: publicUrl(needed('PUBLIC_URL') ?? `http://${isIPv6(host) ? `[${host}]` : host}:${port}`),
    dataDirectory: resolve(text('DATA_DIR') ?? '.data'),
    databaseUrl: databaseUrl(needed('DATABASE_URL')),
    replicas: replicaUrls(text),
    pool: whole('DATABASE_POOL', text('DATABASE_POOL') ?? '10', 1, 1000),
    workers: whole('WORKERS', text('WORKERS') ?? '1', 1, 64),
    pgbin: text('PGBIN'),
    stripe: stripe(text, production),
    smtp: smtp(text, production),
    kontomatik: kontomatik(text, production),
    redirects: redirects(text('KONTOMATIK_REDIRECTS'), production),
    secrets: secrets(text('SECRETS_KEY'), production),
    auth: auth(text, production),
    maxTokenLifetime: whole('AUTH_MAX_LIFETIME', text('AUTH_MAX_LIFETIME') ?? `${usualLifetime}`, 60, 31_536_000),
    corsOrigins: origins(text('CORS_ORIGINS') ?? (production ? '' : '*')),
    trustProxy: trusted(text('TRUST_PROXY') ?? 'false'),
    limits:
      oneOf('RATE_LIMITS', text('RATE_LIMITS') ?? (production ? 'on' : 'off'), ['on', 'off']) === 'on'
        ? limits
        : undefined,
    logLevel: oneOf('LOG_LEVEL', text('LOG_LEVEL') ?? 'info', ['trace', 'debug', 'info', 'warn', 'error', 'silent']),
    hydraPrefix: oneOf('HYDRA_PREFIX', text('HYDRA_PREFIX') ?? 'false', ['true', 'false']) === 'true',
    production,
  }
}
