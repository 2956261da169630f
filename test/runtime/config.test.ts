import { resolve } from 'node:path'
import { readConfig } from '../../src/config.ts'

const auth = {
  AUTH_ISSUER: 'https://login.example',
  AUTH_AUDIENCE: 'api',
  AUTH_JWKS_URL: 'https://login.example/jwks.json',
}
const stripe = {
  STRIPE_SECRET_KEY: 'sk_test_1',
  STRIPE_PUBLISHABLE_KEY: 'pk_test_1',
  STRIPE_WEBHOOK_SECRET: 'whsec_1',
}
const production = {
  NODE_ENV: 'production',
  SMTP_URL: 'smtp://mail.example',
  MAIL_FROM: 'no-reply@acme.example',
  PUBLIC_URL: 'https://api.example',
  DATABASE_URL: 'postgres://db.example/api',
  KONTOMATIK_API_KEY: 'kontomatik-key',
  SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
  ...auth,
  ...stripe,
}

test('every variable has a default', () => {
  expect(readConfig({})).toEqual({
    port: 3000,
    host: '127.0.0.1',
    publicUrl: 'http://127.0.0.1:3000',
    dataDirectory: resolve('.data'),
    databaseUrl: undefined,
    directUrl: undefined,
    replicas: [],
    pool: 10,
    workers: 1,
    pgbin: undefined,
    auth: undefined,
    maxTokenLifetime: 86_400,
    corsOrigins: '*',
    trustProxy: false,
    logLevel: 'info',
    hydraPrefix: false,
    webhookHosts: [],
    traces: undefined,
    explorer: true,
    graceDays: 30,
    production: false,
  })
})

test('an empty or blank variable is the same as none', () => {
  const names = [
    'PORT',
    'HOST',
    'PUBLIC_URL',
    'DATA_DIR',
    'DATABASE_URL',
    'DATABASE_DIRECT_URL',
    'DATABASE_POOL',
    'WORKERS',
    'PGBIN',
    'AUTH_ISSUER',
  ]
  const others = [
    'AUTH_AUDIENCE',
    'AUTH_JWKS_URL',
    'AUTH_CLIENT_ID',
    'AUTH_CLIENT_SECRET',
    'AUTH_MAX_LIFETIME',
    'CORS_ORIGINS',
    'TRUST_PROXY',
    'LOG_LEVEL',
    'HYDRA_PREFIX',
    'EXPLORER',
    'NODE_ENV',
  ]
  for (const blank of ['', '  '])
    expect(readConfig(Object.fromEntries([...names, ...others].map((name) => [name, blank])))).toEqual(readConfig({}))
})

test.each<[name: string, value: string, key: string, read: unknown]>([
  ['PORT', '8080', 'port', 8080],
  ['PORT', ' 0 ', 'port', 0],
  ['PORT', '65535', 'port', 65_535],
  ['HOST', '127.0.0.2', 'host', '127.0.0.2'],
  ['PUBLIC_URL', 'https://api.example/', 'publicUrl', 'https://api.example'],
  ['PUBLIC_URL', 'https://api.example/org/v1.0/', 'publicUrl', 'https://api.example/org/v1.0'],
  ['DATA_DIR', '/var/lib/api', 'dataDirectory', '/var/lib/api'],
  ['DATA_DIR', 'here', 'dataDirectory', resolve('here')],
  [
    'DATABASE_URL',
    'postgresql://u:p@db:5432/api?sslmode=require',
    'databaseUrl',
    'postgresql://u:p@db:5432/api?sslmode=require',
  ],
  ['DATABASE_POOL', '25', 'pool', 25],
  ['WORKERS', '4', 'workers', 4],
  ['AUTH_MAX_LIFETIME', '3600', 'maxTokenLifetime', 3600],
  ['KONTOMATIK_REDIRECTS', 'local', 'redirects', 'local'],
  ['PGBIN', '/usr/lib/postgresql/16/bin', 'pgbin', '/usr/lib/postgresql/16/bin'],
  ['CORS_ORIGINS', '*', 'corsOrigins', '*'],
  [
    'CORS_ORIGINS',
    'https://a.example, https://b.example/ ,',
    'corsOrigins',
    ['https://a.example', 'https://b.example'],
  ],
  ['TRUST_PROXY', 'true', 'trustProxy', true],
  ['TRUST_PROXY', '2', 'trustProxy', 2],
  ['TRUST_PROXY', '10.0.0.0/8', 'trustProxy', '10.0.0.0/8'],
  ['TRUST_PROXY', 'loopback, ::1, 192.168.1.1', 'trustProxy', 'loopback, ::1, 192.168.1.1'],
  ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
  ['HYDRA_PREFIX', 'true', 'hydraPrefix', true],
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'http://127.0.0.1:4318/',
    'traces',
    { endpoint: 'http://127.0.0.1:4318', headers: {}, ratio: 1 },
  ],
  ['EXPLORER', 'off', 'explorer', false],
  ['EXPLORER', 'on', 'explorer', true],
  ['NODE_ENV', 'test', 'production', false],
  ['KONTOMATIK_API_KEY', 'key', 'kontomatik', { apiKey: 'key', url: 'https://api.kontomatik.com' }],
  [
    'KONTOMATIK_REDIRECTS',
    'https://app.example/bank, http://localhost:5173 ,',
    'redirects',
    ['https://app.example/bank', 'http://localhost:5173/'],
  ],
])('%s=%s is read', (name, value, key, read) => {
  expect(readConfig({ [name]: value })).toHaveProperty([key], read)
})

test('PUBLIC_URL defaults to the address of HOST and PORT', () => {
  expect(readConfig({ HOST: 'localhost', PORT: '8080' }).publicUrl).toBe('http://localhost:8080')
  expect(readConfig({ HOST: '::1' }).publicUrl).toBe('http://[::1]:3000')
  expect(readConfig({ NODE_ENV: 'test', HOST: '0.0.0.0', PUBLIC_URL: 'http://me.example' }).publicUrl).toBe(
    'http://me.example',
  )
})

test.each([
  ...['-1', '65536', '3000.5', '1e3', '0x10', 'http'].map((value) => ['PORT', value]),
  ...['0', '1001', 'many'].map((value) => ['DATABASE_POOL', value]),
  ...['0', '65', '1.5', '-1', 'auto'].map((value) => ['WORKERS', value]),
  ...['0', '59', '31536001', '1d', '-1'].map((value) => ['AUTH_MAX_LIFETIME', value]),
  ...['api.example', '//api.example', 'ftp://api.example', '/', 'http://'].map((value) => ['PUBLIC_URL', value]),
  ...['https://api.example/?x=1', 'https://api.example/#x', 'https://u:p@api.example'].map((value) => [
    'PUBLIC_URL',
    value,
  ]),
  ...['mysql://db.example/api', 'localhost:5432', 'db'].map((value) => ['DATABASE_URL', value]),
  ...['a.example', 'null', '*, https://a.example', 'https://*.example', 'ftp://a.example'].map((value) => [
    'CORS_ORIGINS',
    value,
  ]),
  ...['verbose', 'INFO'].map((value) => ['LOG_LEVEL', value]),
  ...['yes', '1', 'TRUE'].map((value) => ['HYDRA_PREFIX', value]),
  ...['nonsense', '10.0.0.0/99', '-1'].map((value) => ['TRUST_PROXY', value]),
])('%s=%s is refused in one sentence that names it', (name, value) => {
  const sentence = refusal({ [name]: value })
  expect(sentence).toMatch(new RegExp(`^${name} must .+\\.$`))
  expect(sentence).not.toContain('\n')
})

test.each([
  [{ KONTOMATIK_URL: 'https://test.api.kontomatik.com' }, 'KONTOMATIK_API_KEY must be set when KONTOMATIK_URL is set.'],
  [{ KONTOMATIK_API_KEY: 'a key' }, 'KONTOMATIK_API_KEY must consist of printable ASCII characters without spaces.'],
  [
    { KONTOMATIK_API_KEY: 'key', KONTOMATIK_URL: 'test' },
    'KONTOMATIK_URL must be a URL that starts with http:// or https://, such as https://api.kontomatik.com, not "test".',
  ],
  [
    { KONTOMATIK_REDIRECTS: 'https://app.example/bank?x=1' },
    'KONTOMATIK_REDIRECTS must be addresses without a query, a fragment or a password, not "https://app.example/bank?***".',
  ],
  [
    { SECRETS_KEY: 'secret' },
    'SECRETS_KEY must hold keys of 32 bytes in base64, separated by commas. Create one with: openssl rand -base64 32',
  ],
])('%j is refused', (environment, sentence) => {
  expect(refusal(environment)).toBe(sentence)
})

test('headers for the collector of traces are percent-encoded', () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:4318'
  const environment = (OTEL_EXPORTER_OTLP_HEADERS: string) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_HEADERS,
  })
  expect(readConfig(environment('authorization=Basic%20YWJjZA==, api-key=a%2Cb')).traces?.headers).toEqual({
    authorization: 'Basic YWJjZA==',
    'api-key': 'a,b',
  })
  for (const value of ['100%', '%zz', '%C3', 'a%0D%0Ab: c'])
    expect(refusal(environment(`api-key=${value}`))).toBe(
      'OTEL_EXPORTER_OTLP_HEADERS must have percent-encoded values, such as name=Basic%20abc.',
    )
  expect(refusal(environment('secret'))).toBe(
    'OTEL_EXPORTER_OTLP_HEADERS must be pairs such as name=value, separated by commas.',
  )
})

test('replicas need a DATABASE_URL', () => {
  const DATABASE_URL = 'postgres://db.example/api'
  const read = (DATABASE_REPLICA_URLS: string) => readConfig({ DATABASE_URL, DATABASE_REPLICA_URLS }).replicas
  expect(read('postgres://a.example/api, postgresql://u:p@b.example/api ,')).toEqual([
    'postgres://a.example/api',
    'postgresql://u:p@b.example/api',
  ])
  expect(refusal({ DATABASE_REPLICA_URLS: 'postgres://a.example/api' })).toBe(
    'DATABASE_URL must be set when DATABASE_REPLICA_URLS is set: the embedded Postgres has no replicas.',
  )
  expect(refusal({ DATABASE_URL, DATABASE_REPLICA_URLS: 'postgres://a.example/api,u:secret@b' })).toBe(
    'Each of DATABASE_REPLICA_URLS must be a URL that starts with postgres:// or postgresql://, not "***@b".',
  )
})

test('DATABASE_DIRECT_URL counts where it differs from DATABASE_URL, which it needs', () => {
  const DATABASE_URL = 'postgres://pooler.example/api'
  const read = (DATABASE_DIRECT_URL: string) => readConfig({ DATABASE_URL, DATABASE_DIRECT_URL }).directUrl
  expect(read('postgres://u:p@db.example/api')).toBe('postgres://u:p@db.example/api')
  expect(read(DATABASE_URL)).toBeUndefined()
  expect(refusal({ DATABASE_DIRECT_URL: 'postgres://db.example/api' })).toBe(
    'DATABASE_URL must be set when DATABASE_DIRECT_URL is set: the embedded Postgres has no pooler.',
  )
  expect(refusal({ DATABASE_URL, DATABASE_DIRECT_URL: 'mysql://u:secret@db.example/api' })).toBe(
    'DATABASE_DIRECT_URL must be a URL that starts with postgres:// or postgresql://, not "mysql://***@db.example/api".',
  )
})

test('a password in a bad URL of the database is not repeated', () => {
  expect(refusal({ DATABASE_URL: 'mysql://u:secret@db.example/api' })).not.toContain('secret')
  expect(refusal({ DATABASE_URL: 'u:secret@db' })).not.toContain('secret')
})

test('the variables of another token issuer are set together or not at all', () => {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: jwksUrl } = auth
  expect(readConfig(auth).auth).toEqual({ issuer, audience, jwksUrl })
  for (const name of Object.keys(auth))
    expect(refusal({ ...auth, [name]: undefined })).toBe(
      'AUTH_ISSUER, AUTH_AUDIENCE and AUTH_JWKS_URL must be set together or not at all.',
    )
  expect(refusal({ ...auth, AUTH_JWKS_URL: 'keys.json' })).toMatch(/^AUTH_JWKS_URL must be .+\.$/)
})

test('a client of the provider has an id, and may have a secret', () => {
  expect(readConfig({ ...auth, AUTH_CLIENT_ID: 'web' }).auth?.client).toEqual({ id: 'web', secret: undefined })
  const both = { AUTH_CLIENT_ID: 'web', AUTH_CLIENT_SECRET: 'hidden' }
  expect(readConfig({ ...auth, ...both }).auth?.client).toEqual({ id: 'web', secret: 'hidden' })
  expect(refusal({ ...auth, AUTH_CLIENT_SECRET: 'hidden' })).toBe(
    'AUTH_CLIENT_ID must be set when AUTH_CLIENT_SECRET is set.',
  )
  expect(refusal({ AUTH_CLIENT_ID: 'web' })).toBe('AUTH_ISSUER must be set when AUTH_CLIENT_ID is set.')
  const plain = { ...auth, AUTH_ISSUER: 'http://login.example', ...both }
  expect(refusal(plain)).toBe('AUTH_ISSUER must be an https URL when AUTH_CLIENT_ID is set.')
  expect(refusal({ ...plain, AUTH_ISSUER: 'acme' })).toMatch(/^AUTH_ISSUER must be a URL /)
  expect(readConfig({ ...plain, AUTH_ISSUER: 'http://127.0.0.1:9000' }).auth?.client?.id).toBe('web')
})

test('the variables of Stripe are set together or not at all', () => {
  const whole = { secretKey: 'sk_test_1', publishableKey: 'pk_test_1', webhookSecrets: ['whsec_1', 'whsec_2'] }
  expect(readConfig({}).stripe).toBeUndefined()
  expect(readConfig({ ...stripe, STRIPE_WEBHOOK_SECRET: 'whsec_1, whsec_2' }).stripe).toEqual(whole)
  expect(readConfig({ ...stripe, STRIPE_URL: 'http://127.0.0.1:12111' }).stripe?.url).toBe('http://127.0.0.1:12111')
  for (const name of Object.keys(stripe))
    expect(refusal({ ...stripe, [name]: undefined })).toBe(
      'STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and STRIPE_WEBHOOK_SECRET must be set together or not at all.',
    )
})

test.each([
  ['STRIPE_SECRET_KEY', 'pk_test_1'],
  ['STRIPE_SECRET_KEY', 'sk_live_1'],
  ['STRIPE_PUBLISHABLE_KEY', 'sk_test_1'],
  ['STRIPE_WEBHOOK_SECRET', 'secret'],
  ['STRIPE_WEBHOOK_SECRET', 'whsec_1,'],
  ['STRIPE_URL', '127.0.0.1:12111'],
  ['STRIPE_URL', 'http://127.0.0.1:12111/v1'],
])('%s=%s is refused in one sentence that does not repeat the value', (name, value) => {
  const sentence = refusal({ ...stripe, [name]: value })
  expect(sentence).toMatch(/^STRIPE_.+ must .+\.$/)
  expect(sentence).not.toContain('test_1')
})

describe('In production', () => {
  test('other origins are allowed by name only', () => {
    expect(readConfig(production)).toMatchObject({
      production: true,
      corsOrigins: [],
      publicUrl: 'https://api.example',
    })
    expect(readConfig({ ...production, CORS_ORIGINS: 'https://a.example' }).corsOrigins).toEqual(['https://a.example'])
  })

  test.each(['PUBLIC_URL', 'DATABASE_URL'])('%s must be set', (name) => {
    expect(refusal({ ...production, [name]: undefined })).toBe(
      `${name} must be set in production: the default is for development only.`,
    )
  })

  test('return addresses on this machine are refused', () => {
    expect(refusal({ ...production, KONTOMATIK_REDIRECTS: 'local' })).toBe(
      'KONTOMATIK_REDIRECTS must be addresses in production: local is for development only.',
    )
  })

  test('the local Stripe is refused', () => {
    const none = Object.fromEntries(Object.keys(stripe).map((name) => [name, undefined]))
    expect(refusal({ ...production, ...none })).toMatch(/^STRIPE_SECRET_KEY, .+ must be set in production: .+\.$/)
  })

  test.each(['KONTOMATIK_API_KEY', 'SECRETS_KEY'])('%s must be set', (name) => {
    expect(refusal({ ...production, [name]: undefined })).toMatch(
      new RegExp(`^${name} must be set in production: .+ is for development only\\.$`),
    )
  })

  test('tokens of the server itself are refused', () => {
    const none = Object.fromEntries(Object.keys(auth).map((name) => [name, undefined]))
    expect(refusal({ ...production, ...none })).toMatch(/^AUTH_ISSUER, .+ must be set in production: .+\.$/)
  })
})

function refusal(environment: Record<string, string | undefined>): string {
  try {
    return `It was read: ${JSON.stringify(readConfig(environment))}`
  } catch (error) {
    return (error as Error).message
  }
}
