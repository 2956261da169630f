const { given, publicUrl, stripe, tenant, tokenOf } = await openWorld()

// OWASP API4:2023: all input is parsed in linear time. The same mistake could be in our own patterns and loops or a library's,
// in every header, query, path, body, form header and token claim.
import { Location } from '../../entities/index.ts'
import { raw } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'

/** A busy machine delays one run; a fault delays every run. */
import.meta.jest.retryTimes(2, { logErrorsBeforeRetry: true })

const bearer = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
const { id } = await given(Location, { name: 'Here' })

/** The limits of a header and of a request line, and a typical large body. */
const maxBytes = { header: 8_000, query: 14_000, body: 250_000 }

/** Inputs that make poor patterns and loops backtrack: runs, unclosed quotes, many elements, many separators. */
const hostile: Record<string, (length: number) => string> = {
  spaces: (length) => `a${' '.repeat(length)}b`,
  tabs: (length) => `a;${'\t'.repeat(length)}x`,
  commas: (length) => ','.repeat(length),
  'comma and space': (length) => ' ,'.repeat(length / 2),
  semicolons: (length) => 'a;'.repeat(length / 2),
  quotes: (length) => '"'.repeat(length - 1),
  'open quotes': (length) => 'a="'.repeat(length / 3),
  backslashes: (length) => `a="${'\\'.repeat(length)}`,
  'equal signs': (length) => `a${'='.repeat(length)}b`,
  elements: (length) => 'a/b;q=1,'.repeat(length / 8),
  tags: (length) => '"a",'.repeat(length / 4),
  'weak tags': (length) => 'W/'.repeat(length / 2),
  hyphens: (length) => `nl${'-a'.repeat(length / 2)}`,
  languages: (length) => 'nl-BE;q=0.1,'.repeat(length / 12),
  dots: (length) => '.'.repeat(length),
  digits: (length) => '9'.repeat(length),
  letters: (length) => 'a'.repeat(length),
  brackets: (length) => '['.repeat(length),
  escapes: (length) => '%25'.repeat(length / 3),
}

const headers = [
  'Prefer',
  'Accept',
  'Accept-Language',
  'Accept-Encoding',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'Range',
  'Cookie',
  'Origin',
  'Access-Control-Request-Headers',
  'Authorization',
  'X-Request-Id',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'Forwarded',
  'Content-Type',
  'Content-Encoding',
  'Expect',
  'Idempotency-Key',
  'Stripe-Signature',
]

/** The minimum processor time of a request in milliseconds, over some tries: other work on the machine does not count. */
async function minMilliseconds(ask: () => Promise<{ status: number }>, enough: number, tries = 8): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let count = 0; count < tries && best >= enough; count++) {
    const before = process.cpuUsage()
    const { status } = await ask()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1000)
    expect(status).toBeLessThan(500)
  }
  return best
}

/** The extra time that a hostile request may take over a plain one. */
const maxExtraMs = 40

/** Reading a body of 250 kB takes some time by itself. */
const bodyMs = 60

const forms = Object.entries(hostile)

/** Sends every hostile input in three lengths, and returns those that took too long. */
async function slowInputs(
  size: number,
  ask: (value: string) => Promise<{ status: number }>,
  spareMs = 0,
): Promise<string[]> {
  const plain = await minMilliseconds(() => ask('a'), 2, 10)
  const found: string[] = []
  for (const [name, make] of forms)
    for (const length of [size / 4, size / 2, size]) {
      const maxMs = Math.min(plain, maxExtraMs) + maxExtraMs + spareMs
      const tookMs = await minMilliseconds(() => ask(make(length)), maxMs)
      if (tookMs > maxMs) found.push(`${length} of ${name}: ${Math.round(tookMs)} ms`)
    }
  return found
}

test.each(headers)('the header %s is read in linear time', async (name) => {
  const form = { ...bearer, 'Content-Type': 'multipart/form-data; boundary=x' }
  const asks: ((value: string) => Promise<{ status: number }>)[] = [
    (value) => raw('GET', '/countries', { [name]: value }),
    (value) => raw('GET', `/locations/${id}`, { ...bearer, [name]: value }),
    (value) => raw('POST', '/locations', { ...bearer, 'Content-Type': 'application/json', [name]: value }, '{}'),
    (value) => raw('POST', '/organizations/logo', { ...form, [name]: value }, '--x--'),
    (value) => raw('POST', '/webhooks/stripe', { [name]: value }, '{}'),
    (value) => raw('OPTIONS', '/locations', { [name]: value }),
  ]
  for (const ask of asks) expect(await slowInputs(maxBytes.header, ask)).toEqual([])
})

test('the boundary of a form and the headers of its parts are read in linear time', async () => {
  const send = (boundary: string, body: string) =>
    raw('POST', '/organizations/logo', { ...bearer, 'Content-Type': `multipart/form-data; boundary=${boundary}` }, body)
  const part = (value: string) =>
    `--x\r\nContent-Disposition: form-data; name="${value}"; filename=${value}\r\n\r\na\r\n--x--\r\n`
  expect(await slowInputs(maxBytes.body, (value) => send('x', part(value)), bodyMs)).toEqual([])
  expect(
    await slowInputs(maxBytes.body, (value) => send('x', `--x\r\n${value}: ${value}\r\n\r\na\r\n--x--\r\n`), bodyMs),
  ).toEqual([])
  const [long, near] = [`${'-'.repeat(60)}x`, `\r\n--${'-'.repeat(60)}`]
  expect(await minMilliseconds(() => send(long, near.repeat(30_000)), 200)).toBeLessThan(200)
})

test.each(['name', 'name[]', 'id', 'q', 'order[name]', 'properties[]', 'page', 'itemsPerPage', 'after', 'before', 'x'])(
  'the parameter %s is read in linear time',
  async (name) => {
    const ask = (value: string) =>
      raw('GET', `/locations?${name}=${encodeURIComponent(value).slice(0, maxBytes.query)}`, bearer)
    expect(await slowInputs(maxBytes.query / 3, ask)).toEqual([])
    const often = (value: string) =>
      raw(
        'GET',
        `/locations?${`${name}=a&`.repeat(Math.min(value.length, maxBytes.query) / (name.length + 3))}`,
        bearer,
      )
    expect(await slowInputs(maxBytes.query, often)).toEqual([])
  },
)

test('names of parameters and paths are read in linear time', async () => {
  const coded = (value: string) => encodeURIComponent(value).slice(0, maxBytes.query)
  expect(await slowInputs(maxBytes.query / 3, (value) => raw('GET', `/locations?${coded(value)}=a`, bearer))).toEqual(
    [],
  )
  for (const path of ['/locations/', '/', '/errors/', '/contexts/', '/images/', '/locations.', '/locations/a.'])
    expect(await slowInputs(maxBytes.query / 3, (value) => raw('GET', path + coded(value), bearer))).toEqual([])
})

const inputs: [path: string, property: string][] = [
  ['/locations', 'name'],
  ['/employees', 'email'],
  ['/employees', 'phone'],
  ['/employees', 'location'],
  ['/meetings', 'dateFrom'],
  ['/organization-user-invitations', 'email'],
  ['/organization-addresses', 'country'],
  ['/organizations', 'slug'],
  ['/subscriptions', 'modules'],
  ['/subscriptions', 'metadata'],
  ['/subscriptions', 'organizationAddress'],
  ['/integrations/kontomatik/pull', 'since'],
]

test.each(inputs)('in the body of %s, %s is read in linear time', async (path, property) => {
  const send = (value: unknown) =>
    raw(
      'POST',
      path,
      { ...bearer, 'Content-Type': 'application/json' },
      JSON.stringify({ [property]: value }).slice(0, 262_000),
    )
  expect(await slowInputs(maxBytes.body / 2, (value) => send(value), bodyMs)).toEqual([])
  const lists: Record<string, (count: number) => unknown[]> = {
    numbers: (count) => Array.from({ length: count }, (_, n) => n),
    texts: (count) => Array.from({ length: count }, (_, n) => `a${n}`),
    objects: (count) => Array.from({ length: count }, (_, n) => ({ name: `${n}` })),
    empty: (count) => Array.from({ length: count }, () => ({})),
    lists: (count) => Array.from({ length: count }, () => []),
  }
  for (const [name, make] of Object.entries(lists)) {
    const tookMs = await minMilliseconds(() => send(make(15_000)), maxExtraMs + bodyMs * 3)
    expect([name, tookMs < maxExtraMs + bodyMs * 3]).toEqual([name, true])
  }
})

test('the signature of an event is read in linear time', async () => {
  const send = (value: string) => raw('POST', '/webhooks/stripe', { 'Stripe-Signature': value }, '{}')
  expect(stripe.webhookSecret).toBeTruthy()
  expect(await slowInputs(maxBytes.header, (value) => send(`t=1,v1=${value}`))).toEqual([])
  expect(await slowInputs(maxBytes.header, (value) => send(`${'v1=a,'.repeat(value.length / 5)}`))).toEqual([])
})

test('a header above the limit is refused by name', async () => {
  for (const name of headers.filter((name) => name !== 'Authorization')) {
    const { status, text } = await raw('GET', '/countries', { [name]: 'x'.repeat(9_000) })
    expect([status, text]).toEqual([
      431,
      expect.stringContaining(`The header "${name}" has 9000 bytes`.replaceAll('"', '\\"')),
    ])
  }
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`X-${n}`, 'x'.repeat(600)]))
  const { status, text } = await raw('GET', '/countries', many)
  expect([status, text]).toEqual([431, expect.stringMatching(/have \d+ bytes\. At most 16384 are allowed/)])
  expect(publicUrl).toBeTruthy()
})

test('a query of more than 500 parameters is refused', async () => {
  const { status, text } = await raw('GET', `/locations?${'a=&'.repeat(501)}`, bearer)
  expect([status, text]).toEqual([400, expect.stringContaining('501 parameters; the limit is 500')])
})
