import { isIPv4, isIPv6 } from 'node:net'
import { resolve } from 'node:path'
import { isEmail } from 'class-validator'
import type { Access } from './banking/connection.ts'
import { readKeys, type SecretKey } from './banking/secrets.ts'
import type { StripeSettings } from './billing/stripe.ts'
import type { Mailbox, MailSettings } from './mail/mail.ts'

/** What the environment settles, checked once; every variable has a default that works on a bare machine. */
export interface Config {
  port: number
  host: string
  publicUrl: string
  dataDirectory: string
  databaseUrl: string | undefined
  pool: number
  pgbin: string | undefined
  /** Undefined where a local Stripe stands in for the real one. */
  stripe: StripeSettings | undefined
  /** Undefined where mails are kept in files instead of being sent. */
  smtp: MailSettings | undefined
  /** Undefined where a local Kontomatik stands in for the real one. */
  kontomatik: Access | undefined
  /** Where people may be sent back to from signing in at their bank. */
  redirects: string[] | undefined
  /** Undefined where a key of the data directory seals secrets. */
  secrets: SecretKey[] | undefined
  auth: { issuer: string; audience: string; jwksUrl: string } | undefined
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
  const text = (name: string) => environment[name]?.trim() || undefined
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
    pool: whole('DATABASE_POOL', text('DATABASE_POOL') ?? '10', 1, 1000),
    pgbin: text('PGBIN'),
    stripe: stripe(text, production),
    smtp: smtp(text, production),
    kontomatik: kontomatik(text, production),
    redirects: redirects(text('KONTOMATIK_REDIRECTS')),
    secrets: secrets(text('SECRETS_KEY'), production),
    auth: auth(text, production),
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

function whole(name: string, value: string, least: number, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= least && number <= most))
    throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${value}".`)
  return number
}

function url(name: string, value: string): string {
  if (!URL.canParse(value)) throw new Error(`${name} must be an absolute URL, such as http://127.0.0.1:3000.`)
  if (!/^https?:\/\//.test(value)) throw new Error(`${name} must start with http:// or https://, not "${value}".`)
  return value.replace(/\/+$/, '')
}

/** What links start with: a query or a fragment would end up in their middle, a password with everybody. */
function publicUrl(value: string): string {
  const checked = url('PUBLIC_URL', value)
  if (new URL(checked).pathname !== '/') throw new Error('PUBLIC_URL must have no path: every @id starts at the root.')
  if (/[?#@]/.test(checked)) throw new Error('PUBLIC_URL must have no query, no fragment and no password.')
  return checked
}

function databaseUrl(value: string | undefined): string | undefined {
  if (value !== undefined && !(/^postgres(ql)?:\/\//.test(value) && URL.canParse(value)))
    throw new Error('DATABASE_URL must be a URL that starts with postgres:// or postgresql://.')
  return value
}

function stripe(text: (name: string) => string | undefined, production: boolean): Config['stripe'] {
  const [secretKey, publishableKey, secrets] = [
    text('STRIPE_SECRET_KEY'),
    text('STRIPE_PUBLISHABLE_KEY'),
    text('STRIPE_WEBHOOK_SECRET'),
  ]
  const given = text('STRIPE_URL')
  if (!secretKey && !publishableKey && !secrets && !given) {
    if (!production) return undefined
    throw new Error(
      'STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and STRIPE_WEBHOOK_SECRET must be set in production: the local Stripe is for development only.',
    )
  }
  if (!secretKey || !publishableKey || !secrets)
    throw new Error(
      'STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and STRIPE_WEBHOOK_SECRET are set together or not at all.',
    )
  if (!/^[sr]k_(live|test)_\S+$/.test(secretKey))
    throw new Error('STRIPE_SECRET_KEY must be a secret key of Stripe: sk_live_…, sk_test_…, rk_live_… or rk_test_….')
  if (!/^pk_(live|test)_\S+$/.test(publishableKey))
    throw new Error('STRIPE_PUBLISHABLE_KEY must be a publishable key of Stripe: pk_live_… or pk_test_….')
  if (secretKey.split('_')[1] !== publishableKey.split('_')[1])
    throw new Error('STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY must be of the same mode, live or test.')
  const webhookSecrets = secrets.split(',').map((secret) => secret.trim())
  if (!webhookSecrets.every((secret) => /^whsec_\S+$/.test(secret)))
    throw new Error(
      'STRIPE_WEBHOOK_SECRET must be a signing secret of Stripe (whsec_…), or several separated by commas.',
    )
  return { secretKey, publishableKey, webhookSecrets, ...(given && { url: stripeUrl(given) }) }
}

/** The client of Stripe adds the paths by itself. */
function stripeUrl(value: string): string {
  const checked = url('STRIPE_URL', value)
  if (!/^https?:\/\/[^/?#@]+$/.test(checked))
    throw new Error('STRIPE_URL must be a host alone, such as http://127.0.0.1:12111.')
  return checked
}

function smtp(text: (name: string) => string | undefined, production: boolean): Config['smtp'] {
  const [url, from] = [text('SMTP_URL'), text('MAIL_FROM')]
  if (url && from) return { url: smtpUrl(url), from: mailbox(from) }
  if (url || from) throw new Error('SMTP_URL and MAIL_FROM are set together or not at all.')
  if (production)
    throw new Error('SMTP_URL and MAIL_FROM must be set in production: keeping mails in files is for development only.')
  return undefined
}

function smtpUrl(value: string): string {
  if (!/^smtps?:\/\//.test(value) || !URL.canParse(value) || new URL(value).hostname === '')
    throw new Error(
      'SMTP_URL must be a URL that starts with smtp:// or smtps://, such as smtp://user:password@host:587.',
    )
  return value
}

/** `ops@acme.example`, or `Acme <ops@acme.example>`, with quotes around the name or not (RFC 5322 §3.4). */
function mailbox(value: string): Mailbox {
  const [, quoted, plain = '', bracketed, address = bracketed] =
    /^(?:(?:"([^"\\]*)"|([^"<>,;@]*?))\s*<([^<>]*)>|([^<>\s]*))$/.exec(value) ?? []
  if (!isEmail(address)) throw new Error('MAIL_FROM must be a mailbox, such as Acme <no-reply@acme.example>.')
  return { name: quoted ?? plain, address }
}

function kontomatik(text: (name: string) => string | undefined, production: boolean): Config['kontomatik'] {
  const [apiKey, given] = [text('KONTOMATIK_API_KEY'), text('KONTOMATIK_URL')]
  if (!apiKey && production)
    throw new Error('KONTOMATIK_API_KEY must be set in production: the local Kontomatik is for development only.')
  if (!apiKey && given) throw new Error('KONTOMATIK_API_KEY must be set where KONTOMATIK_URL is.')
  if (!apiKey) return undefined
  if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new Error('KONTOMATIK_API_KEY must be printable, without spaces.')
  return { apiKey, url: url('KONTOMATIK_URL', given ?? 'https://api.kontomatik.com') }
}

/** Compared to the letter with origin and path of what a client sends, so each is written as it would be there. */
function redirects(value: string | undefined): string[] | undefined {
  return value
    ?.split(',')
    .map((address) => address.trim())
    .filter(Boolean)
    .map((address) => {
      url('KONTOMATIK_REDIRECTS', address)
      if (/[?#@]/.test(address))
        throw new Error('KONTOMATIK_REDIRECTS must be addresses without a query, a fragment or a password.')
      const { origin, pathname } = new URL(address)
      return origin + pathname
    })
}

function secrets(value: string | undefined, production: boolean): SecretKey[] | undefined {
  if (!value && production)
    throw new Error('SECRETS_KEY must be set in production: the key of the data directory is for development only.')
  return value ? readKeys(value) : undefined
}

function auth(text: (name: string) => string | undefined, production: boolean): Config['auth'] {
  const [issuer, audience, jwksUrl] = [text('AUTH_ISSUER'), text('AUTH_AUDIENCE'), text('AUTH_JWKS_URL')]
  if (issuer && audience && jwksUrl) return { issuer, audience, jwksUrl: url('AUTH_JWKS_URL', jwksUrl) }
  if (issuer || audience || jwksUrl)
    throw new Error('AUTH_ISSUER, AUTH_AUDIENCE and AUTH_JWKS_URL are set together or not at all.')
  if (production)
    throw new Error(
      'AUTH_ISSUER, AUTH_AUDIENCE and AUTH_JWKS_URL must be set in production: tokens of our own are for development only.',
    )
  return undefined
}

function origins(value: string): string[] | '*' {
  if (value === '*') return '*'
  return value
    .split(',')
    .map((origin) => origin.trim())
    .filter(Boolean)
    .map((origin) => {
      if (origin.includes('*')) throw new Error('CORS_ORIGINS must be "*", or a list of origins without any "*" in it.')
      return new URL(url('CORS_ORIGINS', origin)).origin
    })
}

function trusted(value: string): boolean | number | string {
  if (value === 'true' || value === 'false') return value === 'true'
  if (/^\d+$/.test(value)) return Number(value)
  if (!value.split(',').every((part) => isNetwork(part.trim())))
    throw new Error(`TRUST_PROXY must be true, false, a number of hops, or a list of networks, not "${value}".`)
  return value
}

/** An address, with or without the length of its prefix, or one of the names that Express has for some. */
function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true
  const [address, bits = '1', ...more] = text.split('/')
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0
  return more.length === 0 && /^\d+$/.test(bits) && Number(bits) >= 1 && Number(bits) <= most
}

function oneOf(name: string, value: string, values: string[]): string {
  if (!values.includes(value)) throw new Error(`${name} must be one of ${values.join(', ')}, not "${value}".`)
  return value
}
