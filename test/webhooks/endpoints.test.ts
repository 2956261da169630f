import { WebhookEndpoint } from '../../entities/index.ts'
import { readConfig } from '../../src/config.ts'
import { refusalOf } from '../../src/webhooks/receiver-url.ts'
import { openSecret } from '../../src/webhooks/secret.ts'
import { eventsAbout } from '../support/rows/audit-events.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, secretKeys, foundTenant, organization, tenant } = await openWorld()

const path = '/webhook-endpoints'
const url = 'https://hooks.example.com/events'
const admin = as(tenant.users.admin)

const created = async (body: object = {}, by = api) => (await by.post(path, { url, ...body }).expect(201)).body

const sealedOf = (id: string) =>
  database.manager
    .createQueryBuilder(WebhookEndpoint, 'endpoint')
    .addSelect(['endpoint.sealedSecret', 'endpoint.sealedFormerSecret'])
    .where({ organizationId: organization.id, id })
    .getOneOrFail()

describe('a webhook endpoint', () => {
  test('is created with all events, as an admin reads them', async () => {
    const { '@id': iri, ...body } = await created({ name: 'Bookkeeping' })
    expect(body).toMatchObject({
      url,
      name: 'Bookkeeping',
      events: ['*'],
      role: 'admin',
      enabled: true,
      status: 'active',
    })
    expect(body.createdBy).toBe(`/users/${tenant.users.owner.id}`)
    expect((await api.get(iri)).body).toMatchObject({ url, secret: null })
    expect((await created()).name).toBe('hooks.example.com')
  })

  test('shows its secret once, and stores it encrypted', async () => {
    const { '@id': iri, id, secret } = await created()
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/)
    const { sealedSecret } = await sealedOf(id)
    expect(sealedSecret).not.toContain(secret.slice(6))
    expect(openSecret(sealedSecret, secretKeys, { id, organizationId: organization.id })).toBe(secret)
    expect((await api.patch(iri, { name: 'Renamed' })).body).toMatchObject({ secret: null, name: 'Renamed' })
    expect(JSON.stringify(await eventsAbout(iri))).not.toMatch(/whsec_|sealed/)
  })

  test('has another secret after a renewal, beside which the former one signs for a day', async () => {
    const { '@id': iri, id, secret } = await created()
    const { body } = await api.post(`${iri}/renew-secret`).expect(201)
    expect(body.secret).toMatch(/^whsec_/)
    expect(body.secret).not.toBe(secret)
    expect(Date.parse(body.formerSecretUntil) - Date.now()).toBeGreaterThan(23 * 60 * 60 * 1000)
    const { sealedSecret, sealedFormerSecret } = await sealedOf(id)
    const owner = { id, organizationId: organization.id }
    expect([sealedSecret, sealedFormerSecret].map((each) => openSecret(each as string, secretKeys, owner))).toEqual([
      body.secret,
      secret,
    ])
  })

  test('that is enabled again starts over', async () => {
    const { '@id': iri, id } = await created()
    await database.manager.update(WebhookEndpoint, { id }, { enabled: false, disabledReason: 'gone' })
    expect((await api.get(iri)).body).toMatchObject({ status: 'disabled', disabledReason: 'gone' })
    const { body } = await api.patch(iri, { enabled: true }).expect(200)
    expect(body).toMatchObject({ status: 'active', disabledReason: null })
  })

  test.each(['sealedSecret', 'disabledReason', 'failingSince', 'status', 'createdBy'])(
    'takes no %s from a client',
    async (name) => {
      const sent = api.post(path, { url, [name]: 'x' }).set('Prefer', 'handling=strict')
      expect((await sent).status).toBe(422)
    },
  )

  test('keeps its role', async () => {
    const { '@id': iri } = await created()
    expect((await api.patch(iri, { role: 'owner' })).body.role).toBe('admin')
  })
})

describe('an endpoint that reads as an owner', () => {
  test('is created by owners only', async () => {
    expect((await admin.post(path, { url, role: 'owner' })).status).toBe(403)
    expect((await created({ role: 'owner' })).role).toBe('owner')
  })

  test('does not exist for an admin, who could lead its events elsewhere', async () => {
    const { '@id': iri, id } = await created({ role: 'owner' })
    for (const request of [
      admin.get(iri),
      admin.patch(iri, { url: 'https://elsewhere.example/' }),
      admin.post(`${iri}/renew-secret`),
      admin.delete(iri),
    ])
      expect((await request).status).toBe(404)
    const { body } = await admin.get(`${path}?itemsPerPage=100`)
    expect(body.member.map(({ role }: WebhookEndpoint) => role)).not.toContain('owner')
    expect((await admin.get(`${path}?id=${id}`)).body.totalItems).toBe(0)
  })
})

describe('the URL of an endpoint', () => {
  const refused: [url: string, message: string][] = [
    ['http://hooks.example.com/', 'url must start with https://.'],
    ['ftp://hooks.example.com/', 'url must start with https://.'],
    ['/events', 'url must be a URL, such as https://hooks.example.com/events.'],
    ['https://user:pass@hooks.example.com/', 'url must not hold a user name or a password.'],
    ['https://hooks.example.com/#a', 'url must have no fragment.'],
    ...[
      ...['https://a.localhost/', 'https://receiver/', 'https://db.internal./', 'https://printer.local/'],
      ...['https://127.0.0.1/', 'https://127.1/', 'https://2130706433/', 'https://0x7f.1/', 'https://0/'],
      ...['https://10.0.0.1/', 'https://172.31.255.1/', 'https://192.168.1.1:8443/', 'https://100.64.0.1/'],
      ...['https://169.254.169.254/latest/meta-data/', 'https://100.100.100.200/', 'https://168.63.129.16/'],
      ...['https://192.0.0.192/', 'https://192.0.2.1/', 'https://198.18.0.1/', 'https://224.0.0.1/'],
      ...[
        'https://255.255.255.255/',
        'https://240.0.0.1/',
        'https://[::1]/',
        'https://[::]:443/',
        'https://[fe80::1]/',
      ],
      ...['https://[fd00:ec2::254]/', 'https://[::ffff:127.0.0.1]/', 'https://[::ffff:a00:1]/', 'https://[::7f00:1]/'],
      ...['https://[64:ff9b::7f00:1]/', 'https://[64:ff9b:1::1]/', 'https://[2002:7f00:1::]/', 'https://[2001::1]/'],
      ...['https://[fec0::1]/', 'https://[ff02::1]/', 'https://[2001:db8::1]/', 'https://[4000::1]/'],
    ].map((url): [string, string] => [url, 'url must have a public host.']),
  ]

  test.each(refused)('is not %s', async (url, message) => {
    const { status, body } = await api.post(path, { url })
    expect([status, body.violations]).toMatchObject([422, [{ propertyPath: 'url', message, code: 'isReceiver' }]])
  })

  test.each(['https://8.8.8.8/', 'https://[2606:4700::1111]:8443/a?b=c', 'https://hooks.example.com/a%20b'])(
    'may be %s',
    async (url) => {
      const { '@id': iri } = await created()
      expect((await api.patch(iri, { url }).expect(200)).body.url).toBe(url)
      await api.delete(iri).expect(204)
    },
  )

  test('is checked again when it changes', async () => {
    const { '@id': iri } = await created()
    expect((await api.patch(iri, { url: 'https://[::1]/' })).status).toBe(422)
  })
})

test('an organization has at most 20 endpoints', async () => {
  const { users } = await foundTenant('Many', 'many-endpoints')
  const { owner } = users
  for (let n = 0; n < 20; n++) await created({}, as(owner))
  const { status, body } = await as(owner).post(path, { url })
  expect([status, body.detail]).toEqual([
    409,
    'The organization has 20 webhook endpoints, which is the limit: remove one first.',
  ])
})

describe('WEBHOOK_ALLOWED_HOSTS', () => {
  const hostsOf = (text: string) => readConfig({ WEBHOOK_ALLOWED_HOSTS: text }).webhookHosts

  test('names hosts, with a port or without', () => {
    expect(readConfig({}).webhookHosts).toEqual([])
    expect(hostsOf('localhost:4000, Receiver.internal,[::1]:80')).toEqual([
      'localhost:4000',
      'receiver.internal',
      '[::1]:80',
    ])
  })

  test.each([
    ['localhost:80', ['http://localhost/', 'http://localhost:80/'], ['http://localhost:81/', 'https://localhost/']],
    ['10.0.0.1:443', ['https://10.0.0.1/', 'https://10.0.0.1:443/'], ['https://10.0.0.1:8443/', 'http://10.0.0.1/']],
    ['[::1]', ['http://[::1]/', 'https://[::1]:8443/'], ['http://[::2]/']],
  ])('with %s admits these addresses alone', (text, admitted, refused) => {
    const isAdmitted = (url: string) => refusalOf(url, hostsOf(text)) === undefined
    expect([admitted.filter(isAdmitted), refused.filter(isAdmitted)]).toEqual([admitted, []])
  })

  test.each(['http://localhost', 'a/b', 'user@host', 'host:99999', 'host:'])('is no %s', (text) => {
    expect(() => hostsOf(text)).toThrow('WEBHOOK_ALLOWED_HOSTS must name hosts, such as localhost:4000')
  })
})
