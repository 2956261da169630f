import { resolve } from 'node:path'

/** What the environment settles, checked once; every variable has a default that works on a bare machine. */
export interface Config {
  port: number
  host: string
  publicUrl: string
  dataDirectory: string
  databaseUrl: string | undefined
  pool: number
  pgbin: string | undefined
  auth: { issuer: string; audience: string; jwksUrl: string } | undefined
  corsOrigins: string[] | '*'
  trustProxy: boolean | number | string
  logLevel: string
  hydraPrefix: boolean
  production: boolean
}

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
    publicUrl: url('PUBLIC_URL', needed('PUBLIC_URL') ?? `http://${host}:${port}`),
    dataDirectory: resolve(text('DATA_DIR') ?? '.data'),
    databaseUrl: databaseUrl(needed('DATABASE_URL')),
    pool: whole('DATABASE_POOL', text('DATABASE_POOL') ?? '10', 1, 1000),
    pgbin: text('PGBIN'),
    auth: auth(text, production),
    corsOrigins: origins(text('CORS_ORIGINS') ?? (production ? '' : '*')),
    trustProxy: trusted(text('TRUST_PROXY') ?? 'false'),
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
  if (!/^https?:$/.test(parsed(name, value).protocol))
    throw new Error(`${name} must start with http:// or https://, not "${value}".`)
  return value.replace(/\/+$/, '')
}

function databaseUrl(value: string | undefined): string | undefined {
  if (value !== undefined && !/^postgres(ql)?:$/.test(parsed('DATABASE_URL', value).protocol))
    throw new Error('DATABASE_URL must start with postgres:// or postgresql://.')
  return value
}

function parsed(name: string, value: string): URL {
  try {
    return new URL(value)
  } catch {
    throw new Error(`${name} must be an absolute URL, such as http://127.0.0.1:3000.`)
  }
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
    .map((origin) => new URL(url('CORS_ORIGINS', origin)).origin)
}

function trusted(value: string): boolean | number | string {
  if (value === 'true' || value === 'false') return value === 'true'
  return /^\d+$/.test(value) ? Number(value) : value
}

function oneOf(name: string, value: string, values: string[]): string {
  if (!values.includes(value)) throw new Error(`${name} must be one of ${values.join(', ')}, not "${value}".`)
  return value
}
