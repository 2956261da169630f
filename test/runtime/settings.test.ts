import { readConfig } from '../../src/config.ts'

/*
 * No value may silently mean a default. That could happen with a list of values (RATE_LIMITS, HYDRA_PREFIX, LOG_LEVEL), an empty
 * list, an origin whose path is dropped, or a misspelt name. Every message names its variable and value, and repeats no secret.
 */

const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://api.example',
  DATABASE_URL: 'postgres://db.example/api',
  AUTH_ISSUER: 'https://login.example',
  AUTH_AUDIENCE: 'api',
  AUTH_JWKS_URL: 'https://login.example/jwks.json',
  STRIPE_SECRET_KEY: 'sk_live_1',
  STRIPE_PUBLISHABLE_KEY: 'pk_live_1',
  STRIPE_WEBHOOK_SECRET: 'whsec_1',
  SMTP_URL: 'smtp://mail.example',
  MAIL_FROM: 'no-reply@acme.example',
  KONTOMATIK_API_KEY: 'kontomatik-key',
  SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
}

// Any other value would mean the defaults of development, which print tokens (CWE-1188).
test.each([
  'prod',
  'Production',
  'PRODUCTION',
  'staging',
  'dev',
  'Test',
  ' production',
  'production ',
  '1',
  'undefined',
])('NODE_ENV=%j is refused', (value) => {
  for (const others of [{}, production])
    expect(errorsOf({ ...others, NODE_ENV: value })).toContain(
      `NODE_ENV must be one of development, test, production, not ${JSON.stringify(value)}.`,
    )
})

test.each([
  '0.0.0.0',
  '::',
  '192.0.2.1',
  '2001:db8::1',
  'api.example',
  '::ffff:192.0.2.1',
  'localhost.example',
  '2130706433',
])('without NODE_ENV, HOST=%s is refused, because other machines may reach it', (HOST) => {
  expect(errorsOf({ HOST })).toEqual([
    `NODE_ENV must be set to production or development, because HOST is "${HOST}" and not a loopback address.`,
  ])
  for (const NODE_ENV of ['development', 'test']) expect(errorsOf({ HOST, NODE_ENV })).toEqual([])
  expect(errorsOf({ ...production, HOST })).toEqual([])
})

test.each([
  '127.0.0.1',
  '127.0.0.2',
  '127.255.255.254',
  '::1',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
  'localhost',
  'LOCALHOST',
])('without NODE_ENV, HOST=%s is accepted', (HOST) => expect(errorsOf({ HOST })).toEqual([]))

test.each([
  ['RATE_LIMITS', 'true'],
  ['RATE_LIMITS', 'On'],
  ['HYDRA_PREFIX', 'yes'],
  ['LOG_LEVEL', 'warning'],
  ['WORKERS', 'auto'],
  ['DATABASE_POOL', '0'],
  ['TRUST_PROXY', 'yes'],
  ['TRUST_PROXY', '10000'],
  ['CORS_ORIGINS', ','],
  ['CORS_ORIGINS', 'https://app.example/path'],
  ['KONTOMATIK_REDIRECTS', ' , '],
  ['KONTOMATIK_REDIRECTS', 'local,https://app.example'],
  ['HOST', '127.0.0.1:3000'],
  ['HOST', 'http://127.0.0.1'],
  ['HOST', '[::1]'],
  ['PORT', '3000\n'.padEnd(4, '1').concat('x')],
  ['PUBLIC_URL', 'https://api.example/?x=1'],
  ['PUBLIC_URL', 'api.example'],
  ['STRIPE_URL', 'nope'],
  ['KONTOMATIK_URL', 'nope'],
  ['AUTH_JWKS_URL', 'keys.json'],
  ['DATABASE_URL', 'mysql://db.example/api'],
  ['DATABASE_DIRECT_URL', 'mysql://db.example/api'],
  ['SMTP_URL', 'mail.example'],
  ['MAIL_FROM', 'Acme'],
])('%s=%j is refused in a sentence that names the variable and the value', (name, value) => {
  const [sentence] = errorsOf({ [name]: value }).filter((line) => line.startsWith(`${name} must `))
  const quoted = name === 'PUBLIC_URL' ? value.replace(/\?.*/, '?***') : value.trim()
  const part = quoted.includes('local,') ? 'local' : quoted
  expect(sentence).toMatch(/\.$/)
  expect(sentence).toContain(JSON.stringify(part))
})

test('an example in a sentence fits its variable', () => {
  const sentences = errorsOf({ STRIPE_URL: 'nope', KONTOMATIK_URL: 'nope', AUTH_JWKS_URL: 'nope', PUBLIC_URL: 'nope' })
  expect(sentences.filter((line) => line.includes('127.0.0.1:3000'))).toEqual([])
})

// A secret must not reach a log (OWASP ASVS 5.0, 16.2.5).
test.each([
  ['DATABASE_URL', 'mysql://u:hidden@db.example/api'],
  ['DATABASE_URL', 'postgres//u:hid@den@db.example/api'],
  ['DATABASE_URL', 'host=db.example user=u password=hidden'],
  ['DATABASE_URL', 'user:hidden'],
  ['DATABASE_URL', 'mysql://db.example/api?password=hidden'],
  ['DATABASE_DIRECT_URL', 'mysql://u:hidden@db.example/api'],
  ['DATABASE_REPLICA_URLS', 'postgres://u:hid,den@db.example/api'],
  ['SMTP_URL', 'http://user:hidden@mail.example'],
  ['MAIL_FROM', 'smtp://user:hidden@mail.example'],
  ['STRIPE_URL', 'http://u:hidden@127.0.0.1:12111/v1'],
  ['STRIPE_SECRET_KEY', 'hidden'],
  ['STRIPE_PUBLISHABLE_KEY', 'sk_live_hidden'],
  ['STRIPE_WEBHOOK_SECRET', 'hidden'],
  ['AUTH_JWKS_URL', 'ftp://u:hidden@login.example/jwks.json'],
  ['KONTOMATIK_API_KEY', 'hidden key'],
  ['KONTOMATIK_URL', 'ftp://u:hidden@kontomatik.example'],
  ['KONTOMATIK_REDIRECTS', 'https://u:hidden@app.example'],
  ['CORS_ORIGINS', 'https://u:hidden@app.example'],
  ['PUBLIC_URL', 'https://u:hidden@api.example'],
  ['SECRETS_KEY', 'hidden'],
  ['PORT', 'sk_live_hidden'],
])('the secret in %s=%s is not repeated', (name, value) => {
  const errors = errorsOf({ [name]: value })
  expect(errors.join('\n')).toContain(name)
  expect(errors.join('\n')).not.toMatch(/hid|den\b/)
})

test.each([
  ['DATABSE_URL', 'DATABASE_URL'],
  ['DATABASE_URLS', 'DATABASE_URL'],
  ['database_url', 'DATABASE_URL'],
  ['RATE_LIMIT', 'RATE_LIMITS'],
  ['TRUSTPROXY', 'TRUST_PROXY'],
  ['NODE_EVN', 'NODE_ENV'],
  ['SECRET_KEY', 'SECRETS_KEY'],
])('%s is refused as a misspelt %s', (name, meant) => {
  expect(errorsOf({ [name]: 'x' })).toEqual([
    `${name} must be spelled ${meant}: this server reads no variable of that name.`,
  ])
  const right = { [meant]: (production as Record<string, string>)[meant] ?? '1' }
  expect(errorsOf({ ...right, [name]: 'x' }).filter((line) => line.startsWith(`${name} must be spelled`))).toEqual([])
})

test('variables of other programs are ignored', () => {
  const others = {
    PATH: '/bin',
    HOSTNAME: 'box',
    HOME: '/root',
    POST: '1',
    PORTS: '1',
    REDIS_URL: 'x',
    LOG_FORMAT: 'json',
  }
  expect(errorsOf({ ...others, npm_config_cache: '/tmp', NODE_OPTIONS: '', XDG_DATA_DIRS: '/usr/share' })).toEqual([])
})

test('production names every missing variable, one a line', () => {
  expect(
    errorsOf({ NODE_ENV: 'production' }).map((line) => line.replace(/ must be set in production: .+\.$/, '')),
  ).toEqual([
    'PUBLIC_URL',
    'DATABASE_URL',
    'STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and STRIPE_WEBHOOK_SECRET',
    'SMTP_URL and MAIL_FROM',
    'KONTOMATIK_API_KEY',
    'SECRETS_KEY',
    'AUTH_ISSUER, AUTH_AUDIENCE and AUTH_JWKS_URL',
  ])
})

test('invalid and missing variables stand in one list, also in development', () => {
  const bad = {
    PORT: 'http',
    HOST: '[::1]',
    STRIPE_URL: 'nope',
    LOG_LEVEL: 'loud',
    AUTH_ISSUER: 'https://login.example',
  }
  const names = [/^HOST /, /^PORT /, /^STRIPE_URL /, /^STRIPE_SECRET_KEY, /, /^AUTH_ISSUER, /, /^LOG_LEVEL /]
  expect(errorsOf(bad)).toEqual(names.map((name) => expect.stringMatching(name)))
  expect(errorsOf({ ...bad, NODE_ENV: 'production' })).toHaveLength(names.length + 5)
})

function errorsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    return (error as Error).message.split('\n')
  }
}
