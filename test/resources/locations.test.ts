import { Location, OrganizationConfig } from '../../entities/index.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, foundTenant, given, organization, tenant } = await openWorld()

const violations = (body: { violations?: { propertyPath: string; code: string }[] }) =>
  body.violations?.map(({ propertyPath, code }) => `${propertyPath} ${code}`)

test('it is made with a name alone, or with the hours that it is open', async () => {
  const bare = await api.post('/locations', { name: 'Almere' })
  expect(bare.status).toBe(201)
  expect(bare.body).toEqual({
    '@context': '/contexts/Location',
    '@id': expect.stringMatching(/^\/locations\/[0-9a-f-]{36}$/),
    '@type': 'Location',
    name: 'Almere',
    officeOpenHour: null,
    officeCloseHour: null,
    opensAt: null,
    closesAt: null,
  })

  const open = await api.post('/locations', { name: 'Zwolle', officeOpenHour: 0, officeCloseHour: 24 })
  expect(open.body).toMatchObject({ name: 'Zwolle', officeOpenHour: 0, officeCloseHour: 24 })
})

test('its name is its own in the organization, whatever the case', async () => {
  await given(Location, { name: 'Amsterdam Noord' })
  await given(Location, { name: 'Utrecht', organizationId: elsewhere.organization.id })
  const other = await given(Location, { name: 'Breda' })

  for (const name of ['Amsterdam Noord', 'amsterdam noord', 'AMSTERDAM NOORD']) {
    expect(violations((await api.post('/locations', { name })).body)).toEqual(['name isUnique'])
    const { status, body } = await api.patch(`/locations/${other.id}`, { name })
    expect([status, violations(body)]).toEqual([422, ['name isUnique']])
  }
  expect((await api.post('/locations', { name: 'Utrecht' })).status).toBe(201)
  expect((await api.patch(`/locations/${other.id}`, { name: 'BREDA' })).status).toBe(200)
})

test('of twenty that take one name at once, one gets it', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => api.post('/locations', { name: n % 2 ? 'Gouda' : 'gouda' })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 422)])
})

test.each([
  [{ officeOpenHour: -1, officeCloseHour: 5 }, ['officeOpenHour min']],
  [{ officeOpenHour: 24, officeCloseHour: 24 }, ['officeOpenHour max', 'officeCloseHour differs']],
  [{ officeOpenHour: 1, officeCloseHour: 25 }, ['officeCloseHour max']],
  [{ officeOpenHour: null, officeCloseHour: 0 }, ['officeCloseHour min', 'officeCloseHour withPeer']],
  [{ officeOpenHour: 9, officeCloseHour: 9 }, ['officeCloseHour differs']],
  [{ officeOpenHour: 9 }, ['officeOpenHour withPeer']],
  [{ officeOpenHour: 9, officeCloseHour: null }, ['officeOpenHour withPeer']],
  [{ officeCloseHour: 17 }, ['officeCloseHour withPeer']],
  [{ officeOpenHour: null, officeCloseHour: 17 }, ['officeCloseHour withPeer']],
  [{ officeOpenHour: '9', officeCloseHour: 17.5 }, ['officeOpenHour isInt', 'officeCloseHour isInt']],
])('the hours %j are refused', async (hours, expected) => {
  const { status, body } = await api.post('/locations', { name: 'Nowhere', ...hours })
  expect(status).toBe(422)
  expect(violations(body)?.sort()).toEqual(expected.sort())
})

test('a PATCH is judged by its result', async () => {
  const closed = await given(Location, { name: 'Hoorn' })
  const open = await given(Location, { name: 'Edam', officeOpenHour: 8, officeCloseHour: 18 })
  const patch = (location: Location, body: object) => api.patch(`/locations/${location.id}`, body)

  expect(violations((await patch(closed, { officeOpenHour: 9 })).body)).toEqual(['officeOpenHour withPeer'])
  expect(violations((await patch(closed, { officeCloseHour: 9 })).body)).toEqual(['officeCloseHour withPeer'])
  expect(violations((await patch(open, { officeOpenHour: 18 })).body)).toEqual(['officeCloseHour differs'])
  expect(violations((await patch(open, { officeCloseHour: 8 })).body)).toEqual(['officeCloseHour differs'])
  expect(violations((await patch(open, { officeOpenHour: null })).body)).toEqual(['officeCloseHour withPeer'])
  expect(violations((await patch(open, { officeCloseHour: null })).body)).toEqual(['officeOpenHour withPeer'])

  expect((await patch(open, { officeOpenHour: 17 })).body).toMatchObject({ officeOpenHour: 17, officeCloseHour: 18 })
  const none = { officeOpenHour: null, officeCloseHour: null }
  expect((await patch(open, none)).body).toMatchObject({ name: 'Edam', ...none })
})

test('a PATCH changes what is sent, null clears, and nothing sent changes nothing', async () => {
  const { id } = await given(Location, { name: 'Sneek', officeOpenHour: 8, officeCloseHour: 18 })
  const { headers, body: before } = await api.get(`/locations/${id}`)

  const same = await api.patch(`/locations/${id}`, {})
  expect(same.body).toEqual(before)
  expect(same.headers.etag).toBe(headers.etag)
  const renamed = await api.patch(`/locations/${id}`, { name: 'Snits' })
  expect(renamed.body).toEqual({ ...before, name: 'Snits' })
})

test('unknown and read-only properties are ignored, or named under strict handling', async () => {
  const extra = {
    name: 'Lent',
    id: 'x',
    createdAt: 'x',
    organization: 'x',
    organizationId: elsewhere.organization.id,
    color: 1,
  }
  const { status, body } = await api.post('/locations', extra)
  expect(status).toBe(201)
  const row = await database.manager.findOneByOrFail(Location, { name: 'Lent' })
  expect([row.organizationId, body['@id']]).toEqual([organization.id, `/locations/${row.id}`])

  const strictly = { '@context': '/contexts/Location', '@id': body['@id'], '@type': 'Location', ...extra, version: 9 }
  for (const refused of [
    await api.post('/locations', { ...strictly, name: 'Elst' }).set('Prefer', 'handling=strict'),
    await api.patch(body['@id'], strictly).set('Prefer', 'return=minimal, handling="strict"'),
  ]) {
    expectProblem(refused as never, 422)
    expect(refused.body.violations.map(({ propertyPath }: { propertyPath: string }) => propertyPath).sort()).toEqual([
      'color',
      'createdAt',
      'id',
      'organization',
      'organizationId',
      'version',
    ])
  }
  expect((await api.patch(body['@id'], strictly).set('Prefer', 'handling=lenient')).status).toBe(200)
})

test('members read locations, admins write them, and no role removes them', async () => {
  const { id } = await given(Location, { name: 'Tiel' })
  const member = as(tenant.users.member)
  expect((await member.get(`/locations/${id}`)).body.name).toBe('Tiel')
  expect((await member.get('/locations')).status).toBe(200)
  expect((await member.patch(`/locations/${id}`, { name: 'x' })).status).toBe(403)
  expect((await member.post('/locations', { name: 'x' })).status).toBe(403)
  expect((await as(tenant.users.admin).patch(`/locations/${id}`, { name: 'Tiel Oost' })).status).toBe(200)
  expect((await api.delete(`/locations/${id}`)).status).toBe(405)
})

test('a name may be of 255 characters in any script, and is not blank', async () => {
  for (const name of ['x'.repeat(255), '𝒳'.repeat(255), '大阪', 'a/b?c#d%20', '"<script>'])
    expect((await api.post('/locations', { name })).body.name).toBe(name)
  for (const name of ['', ' ', '\t\n', 'x'.repeat(256), '𝒳'.repeat(256)])
    expect((await api.post('/locations', { name })).status).toBe(422)
})

describe('When a location is open', () => {
  const office = Object.assign(new Location(), { officeOpenHour: 8, officeCloseHour: 18 })
  const workingDays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday']
  const amsterdam = { timezone: 'Europe/Amsterdam', workingDays }
  const period = ({ opensAt, closesAt }: Location) => [opensAt?.toISOString(), closesAt?.toISOString()]

  test.each([
    ['before it opens', '2026-11-24T05:00:00Z', '2026-11-24T07:00:00.000Z', '2026-11-24T17:00:00.000Z'],
    ['while it is open', '2026-11-24T12:00:00Z', '2026-11-24T07:00:00.000Z', '2026-11-24T17:00:00.000Z'],
    ['at the moment it closes', '2026-11-24T17:00:00Z', '2026-11-25T07:00:00.000Z', '2026-11-25T17:00:00.000Z'],
    ['on a Friday evening', '2026-11-27T20:00:00Z', '2026-11-30T07:00:00.000Z', '2026-11-30T17:00:00.000Z'],
    [
      'while it is Monday there but not yet in UTC',
      '2026-11-22T23:30:00Z',
      '2026-11-23T07:00:00.000Z',
      '2026-11-23T17:00:00.000Z',
    ],
    ['in summer', '2026-07-01T12:00:00Z', '2026-07-01T06:00:00.000Z', '2026-07-01T16:00:00.000Z'],
    [
      'over the weekend that summer begins',
      '2026-03-28T12:00:00Z',
      '2026-03-30T06:00:00.000Z',
      '2026-03-30T16:00:00.000Z',
    ],
    [
      'over the weekend that summer ends',
      '2026-10-24T12:00:00Z',
      '2026-10-26T07:00:00.000Z',
      '2026-10-26T17:00:00.000Z',
    ],
  ])('is told %s', (_, now, opens, closes) => {
    expect(period(office.findOpening(amsterdam, new Date(now)))).toEqual([opens, closes])
  })

  test('follows the clocks on the days that have 23 and 25 hours', () => {
    const always = Object.assign(new Location(), { officeOpenHour: 0, officeCloseHour: 24 })
    const sundays = { timezone: 'Europe/Amsterdam', workingDays: ['sunday'] }
    expect(period(always.findOpening(sundays, new Date('2026-03-29T12:00:00Z')))).toEqual([
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ])
    expect(period(always.findOpening(sundays, new Date('2026-10-25T12:00:00Z')))).toEqual([
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
    ])
    const night = Object.assign(new Location(), { officeOpenHour: 2, officeCloseHour: 4 })
    expect(period(night.findOpening(sundays, new Date('2026-03-29T00:00:00Z')))).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-29T02:00:00.000Z',
    ])
  })

  test('is the next time on the same weekday where that is the only one, and never where there is none', () => {
    const tuesdays = { ...amsterdam, workingDays: ['tuesday'] }
    expect(period(office.findOpening(tuesdays, new Date('2026-11-24T17:00:00Z')))[0]).toBe('2026-12-01T07:00:00.000Z')
    expect(period(office.findOpening({ ...amsterdam, workingDays: [] }, new Date()))).toEqual([undefined, undefined])
  })

  test('is told by every answer, in the timezone that the organization has then', async () => {
    const { organization, users } = await foundTenant('Around the world', 'around')
    const owner = as(users.owner)
    const turn = (key: string, value: unknown) =>
      database.manager.update(OrganizationConfig, { organizationId: organization.id, key }, { value: value as never })
    await turn('workingDays', [...workingDays, 'saturday', 'sunday'])
    const made = await owner.post('/locations', { name: 'Office', officeOpenHour: 9, officeCloseHour: 17 })
    const iri = made.body['@id']
    await owner.post('/locations', { name: 'Storehouse' })

    for (const zone of ['Europe/Amsterdam', 'America/New_York', 'Asia/Kolkata', 'UTC']) {
      await turn('timezone', zone)
      const answers = [
        (await owner.get(iri)).body,
        (await as(users.member).get('/locations?order[name]=asc')).body.member[0],
        (await owner.patch(iri, { name: 'Office' })).body,
      ]
      for (const { opensAt, closesAt } of answers) {
        const hour = (instant: string) =>
          new Intl.DateTimeFormat('en', {
            hour: 'numeric',
            minute: 'numeric',
            hourCycle: 'h23',
            timeZone: zone,
          }).format(new Date(instant))
        expect([zone, hour(opensAt), hour(closesAt)]).toEqual([zone, '09:00', '17:00'])
        expect(Date.parse(closesAt)).toBeGreaterThan(Date.now() - 1000)
        expect(Date.parse(opensAt)).toBeLessThan(Date.now() + 24 * 60 * 60 * 1000)
      }
    }
    const { body } = await owner.get('/locations?order[name]=desc')
    expect(body.member[0]).toMatchObject({ name: 'Storehouse', opensAt: null, closesAt: null })
    await turn('workingDays', [])
    expect((await owner.get(iri)).body).toMatchObject({ officeOpenHour: 9, opensAt: null, closesAt: null })
    expect((await owner.patch(iri, { opensAt: '2026-01-01T00:00:00Z' })).body.opensAt).toBeNull()
  })
})
