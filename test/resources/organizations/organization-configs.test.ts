import { expectProblem } from '../../support/requests/raw-responses.ts'
import { snapshot } from '../../support/rows/database-snapshot.ts'
import { openWorld } from '../../support/world.ts'

const { api, as, elsewhere, tenant } = await openWorld()

interface Config {
  '@id': string
  key: string
  name: string
  value: unknown
  default: unknown
}

const { body: listed } = await api.get('/organization-configs')
const configs = new Map<string, Config>(listed.member.map((config: Config) => [config.key, config]))
const path = (key: string) => (configs.get(key) as Config)['@id']

test('an organization has every setting there is, at its default', () => {
  expect(Object.fromEntries([...configs].map(([key, { value }]) => [key, value]))).toEqual({
    currency: 'EUR',
    language: 'nl',
    legalLanguage: 'nl',
    timezone: 'Europe/Amsterdam',
    dateFormat: 'dd-MM-yyyy',
    workingDays: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
    website: null,
    meetingOverlap: 'allow',
  })
  for (const [key, { name, value, default: standard }] of configs) expect([name, standard]).toEqual([key, value])
})

test.each<[string, unknown]>([
  ['currency', 'USD'],
  ['language', 'nl-BE'],
  ['legalLanguage', 'en'],
  ['timezone', 'America/New_York'],
  ['timezone', 'UTC'],
  ['dateFormat', 'yyyy-MM-dd'],
  ['workingDays', ['sunday', 'monday']],
  ['workingDays', []],
  ['website', 'https://example.com/over-ons?x=1'],
  ['website', null],
  ['meetingOverlap', 'reject'],
])('%s may be %j, and is read back so', async (key, value) => {
  const { status, body } = await api.patch(path(key), { value })
  expect([status, body.value, body.default]).toEqual([200, value, configs.get(key)?.default])
  expect((await api.get(path(key))).body).toEqual(body)
})

const never = [
  5,
  true,
  {},
  { value: 'EUR' },
  [[]],
  [null],
  '',
  ' ',
  '\0',
  '\ud800',
  '__proto__',
  'toString',
  'x'.repeat(3000),
]

test.each<[string, unknown[]]>([
  ['currency', ['eur', 'EURO', 'XYZ1', null, ['EUR'], '€']],
  ['language', ['nl_BE', 'nds', 'zz', 'nl-', `nl-${'x'.repeat(3000)}`, 'und', null, ['nl']]],
  ['legalLanguage', ['Dutch', null]],
  ['timezone', ['Europe/Nowhere', 'europe/amsterdam', '+01:00', 'Etc/../UTC', null]],
  ['dateFormat', ['DD-MM-YYYY', 'dd-MM-yyyy ', null]],
  ['workingDays', ['monday', ['monday', 'monday'], ['Monday'], ['funday'], [1], null, { 0: 'monday' }]],
  [
    'website',
    ['example.com', 'javascript:alert(1)', 'ftp://example.com', 'https://', 'http://localhost', ['https://a.nl']],
  ],
  ['website', [`https://example.com/${'x'.repeat(2000)}`, '//example.com', 'https://exa mple.com']],
  ['meetingOverlap', ['ALLOW', 'reject ', false, null]],
])('%s takes nothing else, and says what it takes', async (key, wrong) => {
  const before = await snapshot()
  for (const value of [...wrong, ...never]) {
    const answer = await api.patch(path(key), { value })
    const { violations } = expectProblem(answer as never, 422) as {
      violations: { propertyPath: string; message: string }[]
    }
    expect({ value, paths: violations.map(({ propertyPath }) => propertyPath) }).toEqual({ value, paths: ['value'] })
    expect(violations[0].message).toMatch(/^value (of \w+ must be .+|must not .+)\.$/)
  }
  expect(await snapshot()).toEqual(before)
})

test('only the value of a setting can be written', async () => {
  const { body: before } = await api.get(path('language'))
  expect((await api.patch(path('language'), { key: 'timezone', default: 'fr', name: 'x' })).body).toEqual(before)
  const { status, body } = await api
    .patch(path('language'), { key: 'x', default: 'fr' })
    .set('Prefer', 'handling=strict')
  expect([status, body.violations.length]).toEqual([422, 2])
})

test('settings are neither added nor taken away', async () => {
  expect((await api.post('/organization-configs', { key: 'color', value: 'red' })).status).toBe(405)
  expect((await api.delete(path('website'))).status).toBe(405)
})

test('members read them, admins write them, strangers have their own', async () => {
  const member = as(tenant.users.member)
  expect((await member.get(path('currency'))).status).toBe(200)
  expect((await member.patch(path('currency'), { value: 'USD' })).status).toBe(403)
  expect((await as(tenant.users.admin).patch(path('currency'), { value: 'EUR' })).status).toBe(200)

  const stranger = as(elsewhere.users.owner)
  expect((await stranger.get(path('currency'))).status).toBe(404)
  expect((await stranger.patch(path('currency'), { value: 'USD' })).status).toBe(404)
  expect((await stranger.get('/organization-configs')).body.totalItems).toBe(8)
})
