import { Employee, Location, Meeting, OrganizationAddress } from '../../entities/index.ts'
import { Lines1764000000060 } from '../../src/migrations/1764000000060-lines.ts'
import { conforms, expanded, literal } from '../support/graphs.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given, givenAddress, person } = await openWorld()

const composed = 'Zo\u00eb'
const decomposed = 'Zoe\u0308'
const violations = (body: { violations?: { propertyPath: string; code: string }[] }) =>
  body.violations?.map(({ propertyPath, code }) => `${propertyPath} ${code}`)

test('a name is one name, however its letters are composed and whatever white space is around it', async () => {
  const made = await api.post('/locations', { name: ` ${decomposed}\u00a0` })
  expect([made.status, made.body.name]).toEqual([201, composed])
  for (const name of [composed, decomposed, `${composed} `, `${composed}\u00a0`, `\u200b${composed}`, `${composed}\n`])
    expect(violations((await api.post('/locations', { name })).body)).toEqual(['name isUnique'])
  for (const name of [composed, decomposed, ` ${decomposed}\u200b`]) {
    const found = await api.get(`/locations?name=${encodeURIComponent(name)}`)
    expect([name, found.body.totalItems]).toEqual([name, 1])
  }
})

test.each([
  '',
  ' ',
  '\u200b',
  '\u00a0\u2060',
  '\u00ad',
  '\u2800',
  '\ufe0f\u200d',
  'a\nb',
  'a\tb',
  'a\u0007',
  'a\u2028b',
])('no name is %j', async (name) => {
  const refused = await api.post('/locations', { name })
  expect([refused.status, violations(refused.body)]).toEqual([422, expect.arrayContaining(['name matches'])])
  expect(refused.body.violations.map(({ message }: { message: string }) => message)).toContain(
    `name must not ${/^a/.test(name) ? 'contain line breaks or other control characters' : 'be blank'}.`,
  )
  expect(await conforms(expanded('Location', { name: [literal(name)] }))).toBe(false)
})

test.each([` ${decomposed} Zwart `, '\n\u2764\ufe0f', 'نام‌ها', '大阪 \u3000', 'a\u00a0b\r\n'])(
  'the shape and the server take the name %j',
  async (name) => {
    expect(
      (await api.post('/locations', [{ '@type': ['x:y'], 'https://schema.org/name': [{ '@value': name }] }])).status,
    ).toBe(201)
    expect(await conforms(expanded('Location', { name: [literal(name)] }))).toBe(true)
  },
)

test('every text of one line is kept so: of employees, addresses, organizations and invitations', async () => {
  const line = ` ${decomposed}\u200b`
  const employee = await api.post('/employees', { name: line, phone: line, jobTitle: '\u200b' })
  expect(employee.body).toMatchObject({ name: composed, phone: composed, jobTitle: '' })
  expect(
    violations((await api.patch(employee.body['@id'], { phone: '1\n2', jobTitle: 'a\u0000' })).body)?.sort(),
  ).toEqual(['jobTitle isStorable', 'phone matches'])
  const texts = { name: line, street: line, houseNumber: line, postalCode: line, city: line, vatNumber: line }
  const address = await api.post('/organization-addresses', { kind: 'postal', country: '/countries/NL', ...texts })
  expect(address.body).toMatchObject(Object.fromEntries(Object.keys(texts).map((name) => [name, composed])))
  expect((await api.get(`/organization-addresses?city=${encodeURIComponent(line)}`)).body.totalItems).toBe(1)
  const founded = await as(await person('zoe')).post('/organizations', { name: line })
  expect(founded.body).toMatchObject({ name: composed, slug: 'zoe' })
  const invited = await api.post('/organization-user-invitations', { email: 'zoe@example.com', name: line })
  expect(invited.body.name).toBe(composed)
})

test('notes are composed and otherwise kept as they are', async () => {
  const made = await api.post('/meetings', { employee: null, ...morning, notes: ` ${decomposed}\n\t` })
  expect(made.body.notes).toBe(` ${composed}\n\t`)
  expect((await api.get(`/meetings?notes=${encodeURIComponent(decomposed)}`)).body.totalItems).toBe(1)
})

test('the migration writes what is there as it is written from now on, and gives later twins a number', async () => {
  const own = { organizationId: elsewhere.organization.id }
  const names = [`${decomposed} `, composed, `${composed}\u00a0`, `${composed} (2)`, '\u200b', 'a\tb', '\u00ad']
  const made: Location[] = []
  for (const name of names) made.push(await given(Location, { ...own, name }))
  const long = await given(Location, { ...own, name: 'x'.repeat(255) })
  const twin = await given(Location, { ...own, name: `${'x'.repeat(255)} ` })
  const employee = await given(Employee, { ...own, name: decomposed, phone: '\n1', jobTitle: null })
  const address = await givenAddress({
    ...own,
    street: '\u200b',
    city: `${decomposed}\u00a0`,
  } as Partial<OrganizationAddress>)
  const meeting = await given(Meeting, { ...own, ...morning, notes: `${decomposed}\n` })

  const runner = database.createQueryRunner()
  await runner.startTransaction()
  await new Lines1764000000060().up(runner)
  await runner.commitTransaction()
  await runner.release()

  const now = await Promise.all(made.map(({ id }) => database.manager.findOneByOrFail(Location, { id })))
  expect(now.map(({ name }) => name)).toEqual([
    composed,
    `${composed} (3)`,
    `${composed} (4)`,
    `${composed} (2)`,
    'Unnamed',
    'a b',
    'Unnamed (2)',
  ])
  expect(now.map(({ version }) => version)).toEqual([2, 2, 3, 1, 2, 2, 3])
  const later = await database.manager.findOneByOrFail(Location, { id: twin.id })
  expect(later.name).toBe(`${'x'.repeat(251)} (2)`)
  expect(await database.manager.findOneByOrFail(Location, { id: long.id })).toMatchObject({
    name: long.name,
    version: 1,
  })
  expect(await database.manager.findOneByOrFail(Employee, { id: employee.id })).toMatchObject({
    ...{ name: composed, phone: '1', jobTitle: null },
  })
  expect(await database.manager.findOneByOrFail(OrganizationAddress, { id: address.id })).toMatchObject({
    ...{ street: 'Unnamed', city: composed, vatNumber: null },
  })
  expect(await database.manager.findOneByOrFail(Meeting, { id: meeting.id })).toMatchObject({ notes: `${composed}\n` })
})
