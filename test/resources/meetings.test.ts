import { Employee, Meeting, OrganizationConfig } from '../../entities/index.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given, operator, organization, tenant } = await openWorld()

const window = { dateFrom: '2026-04-01T08:00:00Z', dateTo: '2026-04-01T10:00:00Z' }

test('its employee is a link to follow', async () => {
  const ada = await given(Employee, { name: 'Ada' })
  const meeting = await given(Meeting, { employee: ada, ...morning })

  const { body } = await api.get(`/meetings/${meeting.id}`)
  const employee = await api.get(body.employee)

  expect(employee.body).toMatchObject({ '@type': 'Employee', name: 'Ada' })
})

test('it is made with an employee by IRI, by absolute URL or as a node', async () => {
  const ada = await given(Employee, { name: 'Ada' })
  const iri = `/employees/${ada.id}`

  for (const employee of [iri, { '@id': iri }]) {
    const { status, body, headers } = await api.post('/meetings', { employee, ...window })
    expect(status).toBe(201)
    expect(headers.location).toBe(body['@id'])
    expect(body).toMatchObject({
      '@context': '/contexts/Meeting',
      '@type': 'Meeting',
      employee: iri,
      ...window,
      notes: null,
      time: null,
    })
  }
})

test('it may have no employee, but the property must be there', async () => {
  expect((await api.post('/meetings', { employee: null, ...window })).body.employee).toBeNull()

  const { status, body } = await api.post('/meetings', window)
  expect(status).toBe(422)
  expect(body.violations).toEqual([expect.objectContaining({ propertyPath: 'employee' })])
})

test('every fault of a body is told at once', async () => {
  const { status, body } = await api.post('/meetings', {
    employee: '/locations/1',
    dateFrom: 'tomorrow',
    dateTo: 3,
    notes: {},
  })

  expect(status).toBe(422)
  expect(body['@type']).toBe('ConstraintViolation')
  expect(body.violations.map(({ propertyPath }: { propertyPath: string }) => propertyPath).sort()).toEqual([
    'dateFrom',
    'dateTo',
    'employee',
    'notes',
  ])
})

test('an employee of another organization is refused like one that does not exist', async () => {
  const stranger = await given(Employee, { name: 'Eve', organizationId: elsewhere.organization.id })
  const messages = []
  for (const id of [stranger.id, '01900000-0000-7000-8000-000000000000']) {
    const { status, body } = await api.post('/meetings', { employee: `/employees/${id}`, ...window })
    expect(status).toBe(422)
    messages.push(body.violations[0].message.replace(id, '…'))
  }
  expect(messages[0]).toBe(messages[1])
})

test('its window must open before it closes, and its time lie within', async () => {
  const backwards = await api.post('/meetings', { employee: null, dateFrom: window.dateTo, dateTo: window.dateFrom })
  expect(backwards.body.violations[0]).toMatchObject({ propertyPath: 'dateTo', code: 'above' })

  const outside = await api.post('/meetings', { employee: null, ...window, time: '2026-04-01T11:00:00Z' })
  expect(outside.body.violations[0]).toMatchObject({ propertyPath: 'time', code: 'within' })
})

test('a PATCH is judged by its result', async () => {
  const meeting = await given(Meeting, morning)
  const late = await api.patch(`/meetings/${meeting.id}`, { dateFrom: '2026-04-01T12:00:00Z' })
  expect(late.status).toBe(422)

  const moved = await api.patch(`/meetings/${meeting.id}`, { dateFrom: '2026-04-01T09:00:00+00:00', notes: 'Boiler' })
  expect(moved.body).toMatchObject({
    dateFrom: '2026-04-01T09:00:00Z',
    dateTo: '2026-04-01T10:00:00Z',
    notes: 'Boiler',
  })
  expect((await api.patch(`/meetings/${meeting.id}`, { notes: null })).body.notes).toBeNull()
})

test.each([
  '2026-03-29T10:30:00.25+02:00',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2024-02-29T12:00:00-05:30',
])('the instant %s comes back as the same instant', async (instant) => {
  const meeting = await given(Meeting, {
    dateFrom: new Date('0001-01-01T00:00:00Z'),
    dateTo: new Date('9999-12-31T23:59:59.999Z'),
  })
  const { body, status } = await api.patch(`/meetings/${meeting.id}`, { time: instant })
  expect(status).toBe(200)
  expect(new Date(body.time)).toEqual(new Date(instant))
  expect(body.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/)
})

test.each([
  '2026-04-01',
  '2026-02-30T08:00',
  '2026-04-01T25:00',
  '2026-04-01 08:00:00',
  '2026-04-01T08:00Z',
  '2026-02-30T08:00:00Z',
  '2026-04-01T24:00:00Z',
  '2026-06-30T23:59:60Z',
  '2026-04-01T08:00:00.Z',
  '2026-04-01T08:00:00,5Z',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+01:00',
  'infinity',
  '',
  12,
  true,
  [],
  {},
])('%j is no date-time', async (dateFrom) => {
  const { status, body } = await api.post('/meetings', { employee: null, dateFrom, dateTo: window.dateTo })
  expect(status).toBe(422)
  expect(body.violations).toEqual(
    expect.arrayContaining([expect.objectContaining({ propertyPath: 'dateFrom', code: 'isDate' })]),
  )
})

test.each(['.2509Z', '.250999Z', '.2500000+00:00', '.250123456Z', '.2509999999999999999999Z'])(
  'a date-time that ends in %s is cut to milliseconds in a body and in a filter',
  async (end) => {
    const [dateFrom, dateTo] = [`2026-04-01T08:00:00${end}`, `2026-04-01T08:00:01${end}`]
    const { status, body } = await api.post('/meetings', { employee: null, dateFrom, dateTo, time: dateTo })
    expect([status, body.dateFrom, body.time]).toEqual([201, '2026-04-01T08:00:00.250Z', '2026-04-01T08:00:01.250Z'])
    for (const [filter, count] of [
      ['before', 1],
      ['strictly_before', 0],
      ['after', 1],
      ['strictly_after', 0],
    ]) {
      const value = encodeURIComponent(dateFrom)
      const found = await api.get(`/meetings?id=${body.id ?? body['@id']}&dateFrom[${filter}]=${value}`)
      expect([filter, found.status, found.body.totalItems]).toEqual([filter, 200, count])
    }
  },
)

test('a time on the first day of 1970 is a clock time of the day on which the window opens', async () => {
  const { body } = await api.post('/meetings', { employee: null, ...window, time: '1970-01-01T11:30:00+00:00' })
  expect(body.time).toBe('2026-04-01T09:30:00Z')

  await database.manager.update(
    OrganizationConfig,
    { organizationId: organization.id, key: 'timezone' },
    { value: 'America/New_York' },
  )
  const noon = await api.post('/meetings', { employee: null, ...window, time: '1970-01-01T05:30:00+01:00' })
  expect(noon.body.time).toBe('2026-04-01T09:30:00Z')
  await database.manager.update(
    OrganizationConfig,
    { organizationId: organization.id, key: 'timezone' },
    { value: 'Europe/Amsterdam' },
  )
})

test.each([
  ['2026-05-04T09:00', '2026-05-04T07:00:00Z'],
  ['2026-12-04t09:00:30', '2026-12-04T08:00:30Z'],
  ['2026-05-04T09:00:00.123456', '2026-05-04T07:00:00.123Z'],
  ['2026-03-29T02:30', '2026-03-29T01:30:00Z'],
  ['2026-10-25T02:30', '2026-10-25T00:30:00Z'],
])('%s is the time on the clocks of the organization, %s', async (local, instant) => {
  const { status, body } = await api.post('/meetings', { employee: null, dateFrom: local, dateTo: '2027-01-01T09:00' })
  expect([status, body.dateFrom, body.dateTo]).toEqual([201, instant, '2027-01-01T08:00:00Z'])
  const path = `/meetings?id=${body['@id']}&dateFrom`
  for (const [filter, count] of [
    ['after', 1],
    ['strictly_after', 0],
    ['before', 1],
  ])
    expect([filter, (await api.get(`${path}[${filter}]=${local}`)).body.totalItems]).toEqual([filter, count])
  const moved = await api.patch(body['@id'], { time: local })
  expect([moved.status, moved.body.time]).toEqual([200, instant])
})

test('a clock time may be without offset, too', async () => {
  const { body } = await api.post('/meetings', { employee: null, ...window, time: '1970-01-01T11:30' })
  expect(body.time).toBe('2026-04-01T09:30:00Z')
})

test('a date-time without offset is refused as a graph, when asked to be strict, and without an organization', async () => {
  const meeting = { employee: null, ...window, dateFrom: '2026-04-01T09:00' }
  const graph = { 'schema:startDate': '2026-04-01T09:00', 'schema:endDate': window.dateTo }
  for (const answer of [
    await api.post('/meetings', graph),
    await api.post('/meetings', meeting).set('Prefer', 'handling=strict'),
  ]) {
    expect([answer.status, answer.body.violations]).toEqual([
      422,
      [
        expect.objectContaining({
          propertyPath: 'dateFrom',
          code: 'isDate',
          message: expect.stringContaining('offset'),
        }),
      ],
    ])
  }
  const strict = await api.get('/meetings?dateFrom[after]=2026-04-01T09:00').set('Prefer', 'handling=strict')
  const outside = await as(operator).get('/organizations?createdAt[after]=2026-04-01T09:00')
  for (const { status, body } of [strict, outside])
    expect([status, body.detail]).toEqual([400, expect.stringContaining('offset')])
})

test('a member sees and plans the meetings of the employee that it is, and no others', async () => {
  const member = as(tenant.users.member)
  const mine = await given(Employee, { name: 'Mia', user: tenant.users.member })
  const other = await given(Employee, { name: 'Bob' })
  const own = await given(Meeting, { employee: mine, ...morning })
  const foreign = await given(Meeting, { employee: other, ...morning })

  expect((await member.get('/meetings')).body.member.map((node: { '@id': string }) => node['@id'])).toEqual([
    `/meetings/${own.id}`,
  ])
  expect((await member.get(`/meetings/${foreign.id}`)).status).toBe(404)
  expect((await member.patch(`/meetings/${foreign.id}`, { notes: 'x' })).status).toBe(404)
  expect((await member.patch(`/meetings/${own.id}`, { notes: 'x' })).status).toBe(200)
  expect((await member.patch(`/meetings/${own.id}`, { employee: `/employees/${other.id}` })).status).toBe(403)
  expect((await member.post('/meetings', { employee: `/employees/${other.id}`, ...window })).status).toBe(403)
  expect((await member.post('/meetings', { employee: null, ...window })).status).toBe(403)
  expect((await member.post('/meetings', { employee: `/employees/${mine.id}`, ...window })).status).toBe(201)
})
