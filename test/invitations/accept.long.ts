import { load } from 'cheerio'
import { OrganizationUser, OrganizationUserInvitation, type User } from '../../entities/index.ts'
import { Browser } from '../support/browser.ts'
import { describeInChromium, Visitor } from '../support/chromium.ts'
import { mailSystem } from '../support/mail-server.ts'
import { eventsAbout } from '../support/rows/audit-events.ts'
import { openWorld } from '../support/world.ts'
import { accepted, invited, newcomer, path, tally, yesterday } from './invitees.ts'

const { api, as, database, elsewhere, given, operator, organization, person, publicUrl, server, tenant, tokenOf } =
  await openWorld()

const { owner } = tenant.users

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

test('a user who belongs elsewhere belongs to both then', async () => {
  const user = elsewhere.users.member
  const { token } = await invited()
  expect((await as(user).post(`${path}/accept`, { token })).status).toBe(201)
  const { body } = await as(user, { organization: organization.id }).get('/organizations')
  expect(body.totalItems).toBe(2)
  expect((await as(user, { organization: organization.id }).get('/meetings')).status).toBe(200)
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
  const alike = await Promise.all(Array.from({ length: 50 }, () => accepted(one, token)))
  expect(tally(alike)).toEqual({ 201: 1, 200: 49 })
  const { body } = await one.get('/users/me')
  expect(await database.manager.countBy(OrganizationUser, { userId: body.id })).toBe(1)

  const before = await database.manager.countBy(OrganizationUser, { organizationId: organization.id })
  const next = await invited()
  const different = await Promise.all(Array.from({ length: 50 }, () => accepted(as(newcomer()), next.token)))
  expect(tally(different)).toEqual({ 201: 1, 422: 49 })
  expect(await database.manager.countBy(OrganizationUser, { organizationId: organization.id })).toBe(before + 1)
})

describe('The page of an invitation', () => {
  const page = '/invitation'

  /** A browser that has followed the link of a mail, and has signed in. */
  async function guestWith(token: string, user: User = newcomer(), claims = {}): Promise<Browser> {
    const browser = new Browser(server)
    await browser.open(`${page}?token=${token}`, 'none').expect(303)
    await browser.signIn(await tokenOf(user, claims))
    return browser
  }

  async function accept(browser: Browser) {
    const $ = load((await browser.open(page).expect(200)).text)
    const form = $('form.operation')
    const fields = form.serializeArray().map(({ name, value }): [string, string] => [name, value])
    return browser.submit(form.attr('action') as string, fields)
  }

  test('moves the token of its link into a cookie at once, so no later address has it', async () => {
    const { token } = await invited()
    const browser = new Browser(server)
    const { headers } = await browser.open(`${page}?token=${token}&lang=nl`, 'cross-site').expect(303)
    expect(headers).toMatchObject({
      location: `${page}?lang=nl`,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
    const [cookie] = headers['set-cookie'] as unknown as string[]
    expect(cookie).toMatch(/^invitation-\d+=[\w-]{43}; Max-Age=3600; Path=\/invitation; .*HttpOnly; SameSite=Lax$/)
    const opened = await browser.open(page, 'cross-site').set('Sec-Fetch-Dest', 'document').expect(200)
    expect(opened.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      refresh: `0;url=${page}`,
    })
    expect(opened.text).not.toContain(token)
    const $ = load(opened.text)
    expect($('main').text()).toContain('acme-owner invites you to become a member of Acme.')
    expect($('main a.button').attr('href')).toBe('/session?return=%2Finvitation')
    expect((await api.get('/organization-user-invitations')).body.member).toContainEqual(
      expect.objectContaining({ status: 'pending' }),
    )
  })

  test('accepts for the person who has signed in, who then acts for the organization', async () => {
    const { token, iri } = await invited()
    const cleo = newcomer('cleo')
    const browser = await guestWith(token, cleo)
    await browser.open('/meetings').expect(403)
    const { status, headers } = await accept(browser)
    expect([status, headers.location]).toEqual([303, '/'])
    await browser.open('/').expect(200)
    await browser.open('/meetings').expect(200)
    expect((await api.get(iri)).body.status).toBe('accepted')
    expect((await browser.open(page).expect(200)).text).toContain('You have accepted this invitation.')
  })

  test('leads a member of another organization to the new one', async () => {
    const { token } = await invited({ role: 'admin' })
    const user = await person('two-homes')
    await given(OrganizationUser, { user, organization: elsewhere.organization, name: 'T' })
    const browser = await guestWith(token, user)
    const { status, headers } = await accept(browser)
    expect(status).toBe(303)
    await browser.open(headers.location).expect(200)
    const $ = load((await browser.open('/session').expect(200)).text)
    expect($('select[name=organization] option[selected]').val()).toBe(organization.id)
  })

  test('says where the address of the invitation is another one, and accepts all the same', async () => {
    const { token, email } = await invited()
    const other = await guestWith(token, newcomer(), { email: 'other@private.example' })
    const { text } = await other.open(page).expect(200)
    expect(text).toContain(`The invitation was sent to ${email}`)
    expect(text).toContain('You are signed in as other@private.example.')
    expect(text).toContain('The invitation was sent to another address.')
    const same = await guestWith(token, newcomer(), { email })
    expect((await same.open(page).expect(200)).text).not.toContain('another address')
    expect((await accept(other)).status).toBe(303)
  })

  test('tells a member that the role stays', async () => {
    const { token } = await invited({ role: 'admin' })
    const user = await person('stays')
    const { id } = await given(OrganizationUser, { user, name: 'S' })
    const browser = await guestWith(token, user)
    expect((await browser.open(page).expect(200)).text).toContain('You belong to this organization already.')
    expect((await accept(browser)).headers.location).toBe('/')
    expect(await database.manager.findOneByOrFail(OrganizationUser, { id })).toMatchObject({ role: 'member' })
  })

  test('says why an invitation cannot be accepted, and has no form then', async () => {
    const expired = await invited()
    await database.manager.update(OrganizationUserInvitation, { id: expired.id }, { expiresAt: yesterday })
    const revoked = await invited()
    await api.delete(revoked.iri)
    const used = await invited()
    await as(newcomer()).post(`${path}/accept`, { token: used.token }).expect(201)
    const replaced = await invited()
    await api.post(`${replaced.iri}/resend`)
    const open = await invited()
    const found = await Promise.all([
      guestWith(expired.token),
      guestWith(revoked.token),
      guestWith(used.token),
      guestWith(replaced.token),
      guestWith('mistyped'),
      guestWith(open.token, operator),
    ])
    const answers = await Promise.all(found.map((browser) => browser.open(page)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404, 404, 200])
    const texts = answers.map(({ text }) => load(text)('main').text())
    for (const [index, sentence] of [
      'This invitation expired on',
      'Acme has withdrawn this invitation.',
      'Someone has accepted this invitation already.',
      'This link leads to no invitation',
      'This link leads to no invitation',
      'The operator stands outside all organizations',
    ].entries())
      expect(texts[index]).toContain(sentence)
    for (const { text } of answers) expect(load(text)('form.operation')).toHaveLength(0)
  })

  test('draws the form again where the operation refuses, for example for a suspended member', async () => {
    const { token } = await invited()
    const user = await person('suspended-guest')
    await given(OrganizationUser, { user, name: 'S', status: 'suspended' })
    const { status, text } = await accept(await guestWith(token, user))
    expect(status).toBe(409)
    expect(text).toContain('Your membership of that organization is suspended')
  })
})

describeInChromium('In Chromium, the link of a mail', (browser) => {
  test.each([
    ['on', true],
    ['off', false],
  ])(
    'leads through the sign-in to the organization, and its token is good once (JavaScript %s)',
    async (_, javaScriptEnabled) => {
      const { email, token } = await invited()
      const { text } = await mailSystem.server.mailTo(email)
      const link = /https?:\S+\/invitation\?\S+/.exec(text ?? '')?.[0] as string
      const visitor = await Visitor.open(browser(), publicUrl, { javaScriptEnabled })
      const page = await visitor.context.newPage()
      const asked: string[] = []
      page.on('request', (request) => asked.push(`${request.url()} ${request.headers().referer}`))
      const opened = await page.goto(link)
      expect(opened?.headers()['referrer-policy']).toBe('no-referrer')
      await page.getByRole('link', { name: 'Sign in to accept' }).click()
      await page.locator('#token').fill(await tokenOf(newcomer(), { email }))
      await page.locator('#by-token ~ form button').click()
      await page.getByText(`You are signed in as ${email}.`).waitFor()
      await page.getByRole('button', { name: 'Accept the invitation' }).click()
      await page.waitForURL(`${publicUrl}/`)
      await page.getByRole('main').getByRole('link', { name: 'Meetings' }).waitFor()
      await page.goto(`${publicUrl}/invitation`)
      await page.getByText('You have accepted this invitation.').waitFor()
      // The address of the link is the only one that has the token, and no page sends it on.
      expect(asked.filter((text) => text.includes(token))).toEqual([`${link} undefined`])
      expect(visitor.complaints).toEqual([])
      await visitor.context.close()

      const stranger = await Visitor.open(browser(), publicUrl, { javaScriptEnabled })
      const other = await stranger.signIn(await tokenOf(newcomer()))
      await other.goto(link)
      await other.getByText('Someone has accepted this invitation already.').waitFor()
      expect(await other.getByRole('button', { name: 'Accept the invitation' }).count()).toBe(0)
      await stranger.context.close()
    },
    120_000,
  )
})
