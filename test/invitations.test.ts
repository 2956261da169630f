import sharp from 'sharp'
import {
  AuditEvent,
  MailFooter,
  OrganizationConfig,
  OrganizationUser,
  OrganizationUserInvitation,
  OutgoingMail,
  Subscription,
  type User,
} from '../entities/index.ts'
import { eventually } from './world/eventually.ts'
import {
  type Agent,
  api,
  as,
  database,
  elsewhere,
  foundTenant,
  given,
  givenAddress,
  organization,
  person,
  publicUrl,
  type Tenant,
  tenant,
} from './world/index.ts'
import { openPostOffice, type PostOffice } from './world/mail.ts'
import { givenInvitation } from './world/rows.ts'

const path = '/organization-user-invitations'
const { member, admin, owner } = tenant.users
const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000)
let count = 0
let office: PostOffice

/** Somebody whom the issuer knows and this server has not met. */
const newcomer = (name = `newcomer-${++count}`) => Object.assign({ subject: name } as User, { id: undefined })
const address = () => `invited-${++count}@example.com`

describe('People are invited', () => {
  beforeAll(async () => {
    office = await openPostOffice()
  })
  afterAll(() => office.close())

  test('an invitation is made, and says all but the token', async () => {
    const email = address()
    const answer = await as(admin).post(path, { email, name: 'Ada Adams', role: 'admin' })
    expect(answer.status).toBe(201)
    expect(answer.headers.location).toBe(answer.body['@id'])
    expect(answer.headers['cache-control']).toBe('private, no-store')
    expect(answer.body).toEqual({
      '@context': '/contexts/OrganizationUserInvitation',
      '@id': `${path}/${answer.body.id}`,
      '@type': 'OrganizationUserInvitation',
      id: expect.any(String),
      email,
      name: 'Ada Adams',
      role: 'admin',
      status: 'pending',
      expiresAt: expect.any(String),
      invitedBy: `/users/${admin.id}`,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      resend: `${path}/${answer.body.id}/resend`,
      accept: `${path}/accept`,
    })
    expect(Date.parse(answer.body.expiresAt) - Date.parse(answer.body.createdAt)).toBeCloseTo(7 * 86_400_000, -4)
    expect((await api.get(answer.body['@id'])).body).toEqual(answer.body)
    expect(answer.text).not.toContain(await office.server.tokenTo(email))
    expect(await eventsAbout(answer.body['@id'])).toMatchObject([
      { action: 'organizationUserInvitation.create', actorId: admin.id, changes: { role: [null, 'admin'] } },
    ])
  })

  test('the mail brings the token, and says from whom, to what, as what, how and until when', async () => {
    const footer = '<p style="color:#333">Acme &amp; Zonen<br><strong>Damrak 1</strong></p>'
    const kept = (await api.patch('/organizations/mail-footer', { mailFooter: footer })).body.mailFooter
    const email = address()
    const { body } = await api.post(path, { email, name: 'Ada <b>Adams</b>' })
    const mail = await office.server.mailTo(email)
    const [{ id }] = await database.manager.findBy(OutgoingMail, { recipient: email })
    expect(mail.from?.value).toEqual([{ name: 'Acme Ops', address: 'ops@acme.example' }])
    expect(mail.messageId).toBe(`<${id}@acme.example>`)
    expect(mail.subject).toBe('Uitnodiging voor Acme')
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated')
    const token = await office.server.tokenTo(email)
    expect(mail.text).toContain('Hallo Ada <b>Adams</b>,\n\nacme-owner nodigt je uit om lid te worden van Acme.')
    expect(mail.text).toContain(`curl -X POST ${publicUrl}${path}/accept`)
    expect(mail.text).toContain(`{"token":"${token}"}`)
    const until = new Intl.DateTimeFormat('nl', { dateStyle: 'long', timeStyle: 'short', timeZone: 'Europe/Amsterdam' })
    expect(mail.text).toContain(`${until.format(new Date(body.expiresAt))} (Europe/Amsterdam)`)
    expect(mail.text).toMatch(/Acme & Zonen\nDamrak 1\s*$/)
    expect(mail.html).toContain('Hallo Ada &lt;b&gt;Adams&lt;/b&gt;,')
    expect(mail.html).toContain(kept)
    expect(mail.html).toContain(`>${token}<`)
    await database.manager.update(MailFooter, { organizationId: organization.id }, { mailFooter: null })
  })

  test.each([
    ['en', 'Invitation to Words'],
    ['nl-BE', 'Uitnodiging voor Words'],
    ['fr', 'Invitation to Words'],
  ])('it is written in the language of the organization (%s)', async (value, subject) => {
    const other = await foundTenant('Words', `words-${value.toLowerCase()}`)
    const own = { organizationId: other.organization.id, key: 'language' }
    await database.manager.update(OrganizationConfig, own, { value })
    const email = address()
    await as(other.users.owner).post(path, { email })
    expect((await office.server.mailTo(email)).subject).toBe(subject)
  })

  test('a newcomer who accepts is a user, and a member in the role and under the name of the invitation', async () => {
    const { token, iri } = await invited({ name: 'Ada Adams', role: 'admin' })
    const ada = as(newcomer('ada'), { name: 'A. Adams', email: 'ada@private.example' })
    expect((await ada.get('/meetings')).status).toBe(403)
    const { status, body, headers } = await ada.post(`${path}/accept`, { token })
    expect([status, headers.location]).toEqual([201, iri])
    expect(body).toMatchObject({ '@id': iri, status: 'accepted', role: 'admin', name: 'Ada Adams' })
    expect(body).not.toHaveProperty('accept')
    expect(body).not.toHaveProperty('resend')

    expect((await ada.get('/meetings')).status).toBe(200)
    const me = (await ada.get('/users/me')).body
    expect(me).toMatchObject({ name: 'A. Adams', email: 'ada@private.example' })
    const [joined] = await database.manager.findBy(OrganizationUser, { userId: me.id })
    expect(joined).toMatchObject({
      organizationId: organization.id,
      role: 'admin',
      name: 'Ada Adams',
      status: 'active',
    })
    const [event, ...others] = (await eventsAbout(iri)).filter(({ action }) => action.endsWith('.accept'))
    expect(others).toEqual([])
    expect(event).toMatchObject({
      actorId: me.id,
      organizationId: organization.id,
      changes: {
        status: ['pending', 'accepted'],
        organizationUser: [null, `/organization-users/${joined.id}`],
        role: [null, 'admin'],
      },
    })
  })

  test('accepting twice is one membership, and the same answer; to anybody else the token is of no use', async () => {
    const { token } = await invited()
    const bob = as(newcomer('bob'))
    const first = await bob.post(`${path}/accept`, { token })
    const again = await bob.post(`${path}/accept`, { token })
    expect([first.status, again.status]).toEqual([201, 200])
    expect(again.body).toEqual(first.body)
    const unknown = await as(newcomer()).post(`${path}/accept`, { token: 'x' })
    for (const other of [newcomer(), owner, elsewhere.users.owner]) {
      const { status, body } = await as(other).post(`${path}/accept`, { token })
      expect([status, body]).toEqual([422, unknown.body])
    }
    expect((await as(newcomer()).get('/users/me')).status).toBe(404)
  })

  test('whoever has been removed since does not come back by the old token', async () => {
    const { token } = await invited()
    const gone = as(newcomer('gone'))
    await gone.post(`${path}/accept`, { token })
    const { body } = await gone.get('/users/me')
    const [{ id }] = await database.manager.findBy(OrganizationUser, { userId: body.id })
    expect((await api.delete(`/organization-users/${id}`)).status).toBe(204)
    expect((await gone.post(`${path}/accept`, { token })).status).toBe(422)
  })

  test('a user who belongs elsewhere belongs to both then', async () => {
    const user = elsewhere.users.member
    const { token } = await invited()
    expect((await as(user).post(`${path}/accept`, { token })).status).toBe(201)
    const { body } = await as(user, { organization: organization.id }).get('/organizations')
    expect(body.totalItems).toBe(2)
    expect((await as(user, { organization: organization.id }).get('/meetings')).status).toBe(200)
  })

  test('what is mistyped, expired, revoked or replaced is refused in one way', async () => {
    const answers: unknown[] = []
    const refused = async (token: string) => {
      const { status, text } = await as(newcomer('refused')).post(`${path}/accept`, { token })
      answers.push({ status, text })
    }
    await refused('mistyped')
    const expired = await invited()
    await database.manager.update(OrganizationUserInvitation, { id: expired.id }, { expiresAt: yesterday })
    await refused(expired.token)
    const revoked = await invited()
    await api.delete(revoked.iri)
    await refused(revoked.token)
    const replaced = await invited()
    await api.post(`${replaced.iri}/resend`)
    await refused(replaced.token)
    expect(answers).toHaveLength(4)
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(answers[0]).toMatchObject({ status: 422 })
    expect((await as(newcomer('refused')).get('/users/me')).status).toBe(404)
  })

  test.each([
    ['nothing', {}],
    ['no character', { token: '' }],
    ['a number', { token: 42 }],
    ['null', { token: null }],
    ['a list', { token: ['x'] }],
    ['too long a text', { token: 'x'.repeat(256) }],
  ])('%s accepts nothing', async (_, body) => {
    const answer = await as(newcomer()).post(`${path}/accept`, body)
    expect([answer.status, answer.body.violations[0].propertyPath]).toEqual([422, 'token'])
  })

  test('a suspended member is not let back in, and an active one keeps its role', async () => {
    const suspended = await person('suspended-member')
    const own = { user: suspended, name: 'S' }
    const { id } = await given(OrganizationUser, { ...own, role: 'admin', status: 'suspended' })
    const { token, iri } = await invited()
    const refused = await as(suspended).post(`${path}/accept`, { token })
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('suspended')])
    expect((await api.get(iri)).body.status).toBe('pending')

    await database.manager.update(OrganizationUser, { id }, { status: 'active' })
    expect((await as(suspended).post(`${path}/accept`, { token })).status).toBe(201)
    expect(await database.manager.findOneByOrFail(OrganizationUser, { id })).toMatchObject({ role: 'admin', name: 'S' })
  })

  test('of fifty who accept with one token at once, one comes in', async () => {
    const { token } = await invited()
    const one = as(newcomer('one-of-fifty'))
    const alike = await Promise.all(Array.from({ length: 50 }, () => one.post(`${path}/accept`, { token })))
    expect(tally(alike)).toEqual({ 201: 1, 200: 49 })
    const { body } = await one.get('/users/me')
    expect(await database.manager.countBy(OrganizationUser, { userId: body.id })).toBe(1)

    const before = await database.manager.countBy(OrganizationUser, { organizationId: organization.id })
    const next = await invited()
    const different = await Promise.all(
      Array.from({ length: 50 }, () => as(newcomer()).post(`${path}/accept`, { token: next.token })),
    )
    expect(tally(different)).toEqual({ 201: 1, 422: 49 })
    expect(await database.manager.countBy(OrganizationUser, { organizationId: organization.id })).toBe(before + 1)
  })

  test('whoever is known here and whoever is not are invited in one way', async () => {
    const known = `known-${++count}@example.com`
    await person('known', { email: known })
    const [first, second] = [
      await api.post(path, { email: known }),
      await api.post(path, { email: known.replace('known', 'nobody') }),
    ]
    const masked = ({ status, text, headers }: typeof first) =>
      [status, text, Object.keys(headers)].join().replace(/[\w-]+@|[0-9a-f-]{36}|[\dT:.-]+Z/g, '…')
    expect(first.status).toBe(201)
    expect(masked(second)).toBe(masked(first))
    expect(subjectOf(await office.server.mailTo(known))).toBe(
      subjectOf(await office.server.mailTo(known.replace('known', 'nobody'))),
    )
  })

  test('an address is invited once at a time, whatever its case', async () => {
    const { email, iri } = await invited()
    for (const spelling of [email, email.toUpperCase()]) {
      const { status, body } = await api.post(path, { email: spelling })
      expect([status, body.violations]).toEqual([422, [expect.objectContaining({ propertyPath: 'email' })]])
    }
    const twenty = await Promise.all(
      Array.from({ length: 20 }, () => api.post(path, { email: `at-once-${count}@example.com` })),
    )
    expect(tally(twenty)).toEqual({ 201: 1, 422: 19 })
    await api.delete(iri)
    expect((await api.post(path, { email })).status).toBe(201)
  })

  test('an invitation that has expired gives way to a new one', async () => {
    const { email, iri, id } = await invited()
    await database.manager.update(OrganizationUserInvitation, { id }, { expiresAt: yesterday })
    const { status, body } = await as(admin).post(path, { email: email.toUpperCase() })
    expect(status).toBe(201)
    expect(body['@id']).not.toBe(iri)
    expect((await api.get(iri)).body.status).toBe('revoked')
    expect((await eventsAbout(iri)).at(-1)).toMatchObject({ changes: { status: ['expired', 'revoked'] } })
  })

  test('members are not invited again, be it by their address or by the one they came by', async () => {
    const { email, token } = await invited()
    const came = as(newcomer('came'), { email: 'came@private.example' })
    await came.post(`${path}/accept`, { token })
    for (const known of [email, 'CAME@private.example']) {
      const { status, body } = await api.post(path, { email: known })
      expect([known, status, body.violations?.[0]]).toMatchObject([
        known,
        422,
        { propertyPath: 'email', code: 'isMember' },
      ])
    }
    expect((await as(elsewhere.users.owner).post(path, { email })).status).toBe(201)
  })

  test.each<[what: string, body: object, names: string[]]>([
    ['nobody', {}, ['email']],
    ['what is no address', { email: 'nobody' }, ['email']],
    ['a number, as an operator', { email: 42, role: 'operator' }, ['email', 'role']],
    ['an address and a header', { email: 'a@b.example\r\nBcc: c@d.example' }, ['email']],
    ['too long an address', { email: `${'a'.repeat(250)}@b.example` }, ['email']],
    ['a blank name', { email: 'a@b.example', name: ' ' }, ['name']],
    ['too long a name, as nothing', { email: 'a@b.example', name: 'x'.repeat(256), role: null }, ['name', 'role']],
  ])('%s cannot be invited', async (_, body, names) => {
    const answer = await api.post(path, body)
    expect(answer.status).toBe(422)
    const named = answer.body.violations.map(({ propertyPath }: { propertyPath: string }) => propertyPath)
    expect([...new Set(named)]).toEqual(names)
  })

  test('what is not the client’s to say is passed over', async () => {
    const status = { status: 'accepted', expiresAt: '2999-01-01T00:00:00Z', invitedBy: `/users/${admin.id}` }
    const { body } = await api.post(path, { email: address(), tokenHash: 'x', acceptedById: owner.id, ...status })
    expect(body).toMatchObject({ status: 'pending', invitedBy: `/users/${owner.id}` })
    expect(Date.parse(body.expiresAt)).toBeLessThan(Date.now() + 8 * 86_400_000)
  })

  test('only owners invite owners, and only they send such an invitation again', async () => {
    const email = address()
    expect((await as(admin).post(path, { email, role: 'owner' })).status).toBe(403)
    const { body } = await api.post(path, { email, role: 'owner' })
    expect(body).toMatchObject({ role: 'owner', resend: expect.any(String) })
    await office.server.mailTo(email)
    expect((await as(admin).get(body['@id'])).body).not.toHaveProperty('resend')
    expect((await as(admin).post(`${body['@id']}/resend`)).status).toBe(403)
    expect((await api.post(`${body['@id']}/resend`)).status).toBe(201)
    expect((await as(newcomer()).post(`${path}/accept`, { token: await office.server.tokenTo(email, 2) })).status).toBe(
      201,
    )
    for (const ask of [
      as(member).post(path, { email }),
      as(newcomer()).post(path, { email }),
      as().post(path, { email }),
    ])
      expect([401, 403]).toContain((await ask).status)
  })

  test('sending again brings a new token, good for another week, and ends the old one', async () => {
    const { email, iri, id, token } = await invited()
    const soon = new Date(Date.now() + 60_000)
    await database.manager.update(OrganizationUserInvitation, { id }, { expiresAt: soon })
    const { status, body } = await as(admin).post(`${iri}/resend`)
    expect([status, body['@id'], body.status]).toEqual([201, iri, 'pending'])
    expect(Date.parse(body.expiresAt)).toBeGreaterThan(soon.getTime() + 6 * 86_400_000)
    const renewed = await office.server.tokenTo(email, 2)
    expect(renewed).not.toBe(token)
    expect((await as(newcomer()).post(`${path}/accept`, { token })).status).toBe(422)
    expect((await as(newcomer()).post(`${path}/accept`, { token: renewed })).status).toBe(201)
    expect((await eventsAbout(iri)).map(({ action }) => action)).toContain('organizationUserInvitation.resend')
  })

  test('one that has expired can be sent again, one that was accepted or revoked cannot', async () => {
    const of = (values: object) => givenInvitation({ invitedBy: owner, ...values })
    const expired = await of({ expiresAt: yesterday })
    expect((await api.get(`${path}/${expired.id}`)).body).toMatchObject({ resend: expect.any(String) })
    expect((await api.post(`${path}/${expired.id}/resend`)).body.status).toBe('pending')
    for (const values of [{ acceptedAt: yesterday }, { revokedAt: yesterday }]) {
      const { id } = await of(values)
      const shown = (await api.get(`${path}/${id}`)).body
      expect([shown.resend, shown.accept]).toEqual([undefined, undefined])
      expect((await api.post(`${path}/${id}/resend`)).status).toBe(409)
    }
  })

  test('what another organization has sent is neither sent again nor revoked from here', async () => {
    const { iri } = await invited()
    const stranger = as(elsewhere.users.owner)
    for (const ask of [stranger.post(`${iri}/resend`), stranger.delete(iri), stranger.get(iri)])
      expect((await ask).status).toBe(404)
    expect((await api.get(iri)).body.status).toBe('pending')
  })

  test('no row of the database holds a token once its mail is sent', async () => {
    const email = address()
    const { body } = await api.post(path, { email }).set('Idempotency-Key', 'at-rest')
    const tokens = [await office.server.tokenTo(email)]
    await api.post(`${body['@id']}/resend`)
    tokens.push(await office.server.tokenTo(email, 2))
    await as(newcomer()).post(`${path}/accept`, { token: tokens[1] }).set('Idempotency-Key', 'at-rest-2')
    await eventually(async () => expect(await holding(tokens)).toEqual([]))
    for (const token of tokens) expect(office.log.join('')).not.toContain(token)
  })

  test('a key makes one invitation and one mail of a request that is repeated', async () => {
    const email = address()
    const [first, again] = [
      await api.post(path, { email }).set('Idempotency-Key', 'once'),
      await api.post(path, { email }).set('Idempotency-Key', 'once'),
    ]
    expect(again.body).toEqual(first.body)
    expect(await database.manager.countBy(OutgoingMail, { recipient: email })).toBe(1)
    const token = await office.server.tokenTo(email)
    const came = as(newcomer())
    const joined = await came.post(`${path}/accept`, { token }).set('Idempotency-Key', 'joined')
    const repeated = await came.post(`${path}/accept`, { token }).set('Idempotency-Key', 'joined')
    expect([joined.status, repeated.status, repeated.body]).toEqual([201, 201, joined.body])
  })

  describe('to seats', () => {
    test('as many as there are, and no more', async () => {
      const { agent, own } = await subscribed('seats', 5)
      expect((await agent.post(path, { email: address() })).status).toBe(201)
      const last = await agent.post(path, { email: address() })
      expect(last.status).toBe(201)
      const email = address()
      const { status, body } = await agent.post(path, { email })
      expect([status, body.detail]).toEqual([
        409,
        expect.stringContaining('all seats of the subscription, which are 5'),
      ])
      expect(await database.manager.countBy(OutgoingMail, { recipient: email })).toBe(0)
      expect(await database.manager.countBy(OrganizationUserInvitation, own)).toBe(2)

      await agent.delete(last.body['@id'])
      expect((await agent.post(path, { email })).status).toBe(201)
    })

    test('the last of them goes to one of many', async () => {
      const { agent } = await subscribed('race', 6)
      const twenty = await Promise.all(Array.from({ length: 20 }, () => agent.post(path, { email: address() })))
      expect(tally(twenty)).toEqual({ 201: 3, 409: 17 })
    })

    test('an invitation that has expired has lost its seat', async () => {
      const { agent, own, users } = await subscribed('lost', 4)
      const expired = await givenInvitation({ ...own, invitedBy: users.owner, expiresAt: yesterday })
      expect((await agent.post(path, { email: address() })).status).toBe(201)
      expect((await agent.post(`${path}/${expired.id}/resend`)).status).toBe(409)
      expect((await agent.get(`${path}/${expired.id}`)).body.status).toBe('expired')
    })

    test('whoever accepts takes the seat of the invitation', async () => {
      const { agent } = await subscribed('taking', 4)
      const email = address()
      await agent.post(path, { email })
      const token = await office.server.tokenTo(email)
      expect((await as(newcomer()).post(`${path}/accept`, { token })).status).toBe(201)
      expect((await agent.post(path, { email: address() })).status).toBe(409)
    })

    test('no seats are counted where nothing is subscribed to', async () => {
      const { agent } = await subscribed('ended', 1, 'canceled')
      expect((await agent.post(path, { email: address() })).status).toBe(201)
    })
  })
})

/** Invites somebody, and has the token that the mail brought. */
async function invited(values: object = {}, by: Agent = api) {
  const email = address()
  const { body } = await by.post(path, { email, ...values }).expect(201)
  return { email, id: body.id as string, iri: body['@id'] as string, token: await office.server.tokenTo(email) }
}

/** An organization of three that has subscribed to so many seats. */
async function subscribed(slug: string, seats: number, status = 'active') {
  const founded: Tenant = await foundTenant(slug, slug)
  const own = { organizationId: founded.organization.id }
  await given(Subscription, { ...own, organizationAddress: await givenAddress(own), seats, status })
  return { ...founded, own, agent: as(founded.users.owner) }
}

/** The rows of all tables, the queue's too, in which one of the tokens stands. */
async function holding(tokens: string[]): Promise<string[]> {
  const tables: { name: string }[] = await database.query(
    `SELECT format('%I.%I', schemaname, tablename) AS "name" FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  )
  expect(tables.length).toBeGreaterThan(20)
  const found: string[] = []
  for (const { name } of tables)
    for (const token of tokens)
      for (const form of [token, Buffer.from(token).toString('hex'), Buffer.from(token).toString('base64')])
        if (
          (await database.query(`SELECT FROM ${name} "row" WHERE "row"::text LIKE '%' || $1 || '%'`, [form])).length > 0
        )
          found.push(name)
  return found
}

function tally(answers: { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

const subjectOf = ({ subject }: { subject?: string }) => subject

function eventsAbout(target: string): Promise<AuditEvent[]> {
  return database.manager.find(AuditEvent, { where: { target }, order: { id: 'ASC' } })
}

test('a mail shows the logo of the organization that invites', async () => {
  const office = await openPostOffice()
  const { users } = await foundTenant('Branded', 'branded', { productionLike: true })
  const logo = await sharp({ create: { width: 40, height: 20, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
  expect((await as(users.owner).post('/organizations/logo').attach('file', logo, 'logo.png')).status).toBe(201)
  const email = address()
  expect((await as(users.owner).post(path, { email })).status).toBe(201)
  const { attachments, html } = await office.server.mailTo(email)
  expect(attachments).toEqual([expect.objectContaining({ contentType: 'image/png', related: true })])
  expect(await sharp(attachments[0].content).metadata()).toMatchObject({ width: 40, height: 20 })
  expect(html).toContain('<img')
  await office.close()
})
