import { OrganizationUser, User } from '../../../entities/index.ts'
import { openWorld } from '../../support/world.ts'

const { api, as, database, foundTenant, given, operator, organization, person, tenant } = await openWorld()

const { member, admin, owner } = tenant.users
const newcomer = (subject: string) => Object.assign(new User(), { subject })

describe('When an organization is founded,', () => {
  test('a signed-in person creates an organization and owns it, with its defaults', async () => {
    const founder = as(newcomer('founder'), { name: 'Fay Founder', email: 'fay@example.com' })
    expect((await founder.get('/users/me')).status).toBe(404)

    const { status, body, headers } = await founder.post('/organizations', { name: 'Café De Ünie & Zn.' })
    expect(status).toBe(201)
    expect(headers.location).toBe(body['@id'])
    expect(body).toMatchObject({
      '@type': 'Organization',
      name: 'Café De Ünie & Zn.',
      slug: 'cafe-de-unie-zn',
      type: 'company',
      status: 'provisioning',
      stripeCustomerId: null,
      manualBilling: false,
      databaseStatus: expect.any(Array),
      demo: false,
      productionLike: true,
      subscriptions: [],
      currentSubscription: null,
      logo: null,
      icon: null,
      organizationAddresses: [],
      organizationUserInvitations: [],
    })
    expect((await founder.get(body['@id'])).body).toEqual(body)

    expect((await founder.get('/users/me')).body).toMatchObject({ name: 'Fay Founder', email: 'fay@example.com' })
    const [membership] = (await founder.get('/organization-users')).body.member
    expect(membership).toMatchObject({ role: 'owner', status: 'active', name: 'Fay Founder' })
    expect((await founder.get('/organization-configs')).body.totalItems).toBe(8)
    expect((await founder.get('/organizations/mail-footer')).body.mailFooter).toBeNull()
  })

  test('a second one is shown as what it is until the caller names it: not the one acted for', async () => {
    const founder = newcomer('twice')
    const first = await as(founder).post('/organizations', { name: 'First' })
    const second = await as(founder).post('/organizations', { name: 'Second' })
    expect(second.status).toBe(201)
    expect(second.body).toMatchObject({ slug: 'second', organizationUsers: [] })
    expect((await as(founder).get('/organizations')).body.totalItems).toBe(2)
    expect((await as(founder).get(first.body['@id'])).body.organizationUsers).toHaveLength(1)
    for (const { body } of [first, second])
      expect((await as(founder, { organization: body.id }).get('/locations')).status).toBe(200)
    expect(await database.manager.countBy(User, { subject: 'twice' })).toBe(1)
  })

  test('a person who is suspended elsewhere owns the organization that it creates', async () => {
    const user = await person('suspended')
    await given(OrganizationUser, { user, name: 'suspended', status: 'suspended' })
    const { body } = await as(user).post('/organizations', { name: 'Fresh start' })
    expect((await as(user).get(body['@id'])).body).toEqual(body)
    expect((await as(user).get('/locations')).status).toBe(200)
  })

  test('ten simultaneous creations by a new person make one user', async () => {
    const hasty = as(newcomer('hasty'))
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, number) => hasty.post('/organizations', { name: `Hasty ${number}` })),
    )
    expect(made.map(({ status }) => status)).toEqual(Array(10).fill(201))
    expect(await database.manager.countBy(User, { subject: 'hasty' })).toBe(1)
  })

  test('two of one name get two slugs', async () => {
    const founder = as(newcomer('namesake'))
    const slugs = []
    for (let count = 0; count < 3; count++)
      slugs.push((await founder.post('/organizations', { name: 'Jansen en Jansen' })).body.slug)
    expect(slugs[0]).toBe('jansen-en-jansen')
    expect(new Set(slugs).size).toBe(3)
    for (const slug of slugs) expect(slug).toMatch(/^jansen-en-jansen(-[0-9a-f]+)?$/)
  })

  test.each([
    ['Łódź Serwis', 'lodz-serwis'],
    ['Straße & Söhne', 'strasse-sohne'],
    ['Smørrebrød', 'smorrebrod'],
    ['Þór hf.', 'thor-hf'],
    ['Đông Á', 'dong-a'],
    ['Компания', 'kompaniya'],
    ['Ελλάδα ΑΕ', 'ellada-ae'],
    ['Łódź'.normalize('NFD'), 'lodz'],
    ['ﬁets', 'fiets'],
    ['株式会社', 'zhushihuishe'],
    ['Ж'.repeat(255), 'zh'.repeat(31).concat('z')],
  ])('the name "%s" gives the slug "%s"', async (name, slug) => {
    const { status, body } = await as(newcomer(slug)).post('/organizations', { name })
    expect([status, body.slug]).toEqual([201, slug])
  })

  test.each(['Admin', '株式会社', '!!!', `${'long '.repeat(50)}`, `${'a'.repeat(62)} b`])(
    'from the name "%s" some slug is made',
    async (name) => {
      const { status, body } = await as(newcomer('odd')).post('/organizations', { name })
      expect(status).toBe(201)
      expect(body.slug).toMatch(/^[a-z0-9](-?[a-z0-9])*$/)
      expect(body.slug.length).toBeLessThanOrEqual(63)
    },
  )

  test.each([
    '',
    'Capital',
    'two words',
    '-first',
    'last-',
    'dou--ble',
    'é',
    'a/b',
    'a.b',
    'a_b',
    'line\n',
    'a'.repeat(64),
    'api',
    'admin',
    'www',
    'docs',
    null,
    7,
    [],
    {},
  ])('%j is no slug', async (slug) => {
    const { status, body } = await as(newcomer('slugger')).post('/organizations', { name: 'Slug', slug })
    expect(status).toBe(422)
    expect(body.violations).toEqual([expect.objectContaining({ propertyPath: 'slug' })])
  })

  test.each(['a', '0', 'a-b', '2fast', 'a'.repeat(63), 'a-1-b-2'])('%j is a slug, once', async (slug) => {
    const slugger = as(newcomer('slugger'))
    const first = await slugger.post('/organizations', { name: 'Slug', slug })
    expect(first.body).toMatchObject({ slug })
    const again = await slugger.post('/organizations', { name: 'Slug', slug })
    expect(again.status).toBe(422)
    expect(again.body.violations).toEqual([{ propertyPath: 'slug', message: expect.any(String), code: 'isUnique' }])
  })

  test('of ten who want the same slug at once one gets it', async () => {
    const racers = Array.from({ length: 10 }, (_, number) => as(newcomer(`racer-${number}`)))
    const made = await Promise.all(racers.map((racer) => racer.post('/organizations', { name: 'Race', slug: 'race' })))
    expect(made.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(422)])
  })

  test.each([{}, { name: '' }, { name: '  ' }, { name: null }, { name: 'x'.repeat(256) }, { name: 5 }])(
    '%j names no organization',
    async (body) => {
      const made = await as(newcomer('nameless')).post('/organizations', body)
      expect([made.status, pathsOf(made.body)]).toEqual([422, ['name']])
    },
  )

  test('a founding that is refused leaves no user behind', async () => {
    await as(newcomer('refused')).post('/organizations', { name: 'Refused', slug: 'acme' })
    expect(await database.manager.existsBy(User, { subject: 'refused' })).toBe(false)
  })

  test('properties of the operator or the server are ignored, and named under strict handling', async () => {
    const privileged = {
      id: organization.id,
      status: 'closed',
      stripeCustomerId: 'cus_stolen',
      manualBilling: true,
      demo: true,
      productionLike: false,
      databaseStatus: [],
      currentSubscription: '/subscriptions/1',
      organizationUsers: [`/organization-users/${owner.id}`],
      createdAt: '2000-01-01T00:00:00Z',
    }
    const climber = as(newcomer('climber'))
    const { status, body } = await climber.post('/organizations', { name: 'Climber', ...privileged })
    expect(status).toBe(201)
    for (const [name, value] of Object.entries(privileged)) expect([name, body[name]]).not.toEqual([name, value])
    expect(body).toMatchObject({ status: 'provisioning', stripeCustomerId: null, manualBilling: false, demo: false })

    const strict = await climber
      .post('/organizations', { name: 'Climber', ...privileged, surprise: 1 })
      .set('Prefer', 'handling=strict')
    expect(strict.status).toBe(422)
    expect(pathsOf(strict.body)).toEqual([...Object.keys(privileged), 'surprise'].sort())
  })

  test('types are company, personal and partner', async () => {
    const typist = as(newcomer('typist'))
    for (const type of ['company', 'personal', 'partner'])
      expect((await typist.post('/organizations', { name: 'T', type })).body.type).toBe(type)
    for (const type of ['tenant', '', null, 1])
      expect(pathsOf((await typist.post('/organizations', { name: 'T', type })).body)).toEqual(['type'])
  })
})

describe('When an organization is changed,', () => {
  test('its name is for admins and owners to change', async () => {
    const { organization, users } = await foundTenant('Before', 'renamed')
    const path = `/organizations/${organization.id}`
    expect((await as(users.member).patch(path, { name: 'After' })).status).toBe(403)
    expect((await as(users.admin).patch(path, { name: 'After' })).body.name).toBe('After')
    expect((await as(users.owner).patch(path, { name: 'Later' })).body.name).toBe('Later')
    expect((await as(users.owner).patch(path, { name: null })).status).toBe(422)
    expect((await as(operator).patch(path, { name: 'Operated' })).body.name).toBe('Later')
  })

  test('the operator’s fields are the operator’s', async () => {
    const { organization, users } = await foundTenant('Operated', 'operated', { manualBilling: false })
    const path = `/organizations/${organization.id}`
    const fields = { demo: true, productionLike: false, status: 'suspended', stripeCustomerId: 'cus_1' }
    const tried = await as(users.owner).patch(path, { ...fields, manualBilling: true })
    expect(tried.status).toBe(200)
    expect(tried.body).toMatchObject({ demo: false, productionLike: true, status: 'active', stripeCustomerId: null })

    expect((await as(operator).patch(path, fields)).body).toMatchObject(fields)
    expect((await as(operator).patch(path, { stripeCustomerId: null, manualBilling: true })).body).toMatchObject({
      stripeCustomerId: null,
      manualBilling: true,
    })
    for (const wrong of [{ status: 'sleeping' }, { demo: 'yes' }, { stripeCustomerId: 'sub_1' }, { demo: null }])
      expect(pathsOf((await as(operator).patch(path, wrong)).body)).toEqual(Object.keys(wrong))
  })

  test('a customer of Stripe is not billed by hand, and belongs to one organization', async () => {
    const first = await foundTenant('Customer', 'customer', { manualBilling: false, stripeCustomerId: 'cus_taken' })
    const second = await foundTenant('Copy', 'copy', { manualBilling: false })
    const both = await as(operator).patch(`/organizations/${first.organization.id}`, { manualBilling: true })
    expect(both.status).toBe(422)
    expect(pathsOf(both.body)).toEqual(['stripeCustomerId'])
    const copied = await as(operator).patch(`/organizations/${second.organization.id}`, {
      stripeCustomerId: 'cus_taken',
    })
    expect(copied.status).toBe(422)
    expect(pathsOf(copied.body)).toEqual(['stripeCustomerId'])
  })

  test('its slug stays what it was', async () => {
    const path = `/organizations/${organization.id}`
    for (const caller of [api, as(operator)]) {
      const { status, body } = await caller.patch(path, { slug: 'other' })
      expect([status, body.slug]).toEqual([200, 'acme'])
    }
    const strict = await api.patch(path, { slug: 'other' }).set('Prefer', 'handling=strict')
    expect(pathsOf(strict.body)).toEqual(['slug'])
  })

  test('one that the caller belongs to but does not act for is refused, saying how', async () => {
    const { organization: second } = await foundTenant('Second', 'second-home')
    const both = await person('both')
    for (const { id } of [organization, second])
      await given(OrganizationUser, { user: both, organizationId: id, name: 'both', role: 'owner' })
    const asked = await as(both, { organization: organization.id }).patch(`/organizations/${second.id}`, { name: 'x' })
    expect(asked.status).toBe(403)
    expect(asked.body.detail).toMatch(/claim "organization"/)
    const named = await as(both, { organization: second.id }).patch(`/organizations/${second.id}`, { name: 'x' })
    expect(named.body.name).toBe('x')
  })
})

describe.each(['icon', 'logo'])('The %s of an organization', (kind) => {
  const path = `/organizations/${kind}`

  test('is for admins and owners to upload', async () => {
    for (const [user, expected] of [
      [undefined, 401],
      [member, 403],
      [operator, 403],
    ] as const)
      expect((await as(user).post(path).attach('file', Buffer.from('x'), 'x.png')).status).toBe(expected)
    for (const user of [admin, owner]) {
      const { status } = await as(user).post(path).attach('file', Buffer.from('x'), 'x.png')
      expect(status).toBe(415)
    }
  })

  test('comes as multipart', async () => {
    for (const type of ['image/png', 'application/json', 'application/ld+json', 'image/svg+xml']) {
      const { status, body } = await api.post(path).set('Content-Type', type).send('{}')
      expect([type, status]).toEqual([type, 415])
      expect(body.detail).toContain('multipart/form-data')
    }
    expect((await api.post(path)).status).toBe(415)
    expect((await api.get(path)).status).toBe(405)
  })
})

function pathsOf({ violations }: { violations?: { propertyPath: string }[] }): string[] {
  return [...new Set(violations?.map(({ propertyPath }) => propertyPath))].sort()
}
