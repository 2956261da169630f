import sharp from 'sharp'
import request from 'supertest'
import { MailFooter, OrganizationConfig, OutgoingMail } from '../../entities/index.ts'
import { createApp } from '../../src/app.ts'
import { eventually } from '../support/eventually.ts'
import { mailSystem } from '../support/mail-server.ts'
import { openWorld } from '../support/world.ts'
import { address, newcomer, path } from './invitees.ts'

const { api, as, database, foundTenant, organization, publicUrl, services, tenant, tokenOf } = await openWorld()

test('the mail brings a link and the token, and says from whom, to what, as what, how and until when', async () => {
  const footer = '<p style="color:#333">Acme &amp; Zonen<br><strong>Damrak 1</strong></p>'
  const kept = (await api.patch('/organizations/mail-footer', { mailFooter: footer })).body.mailFooter
  const email = address()
  const { body } = await api.post(path, { email, name: 'Ada <b>Adams</b>' })
  const mail = await mailSystem.server.mailTo(email)
  const [{ id }] = await database.manager.findBy(OutgoingMail, { recipient: email })
  expect(mail.from?.value).toEqual([{ name: 'Acme Ops', address: 'ops@acme.example' }])
  expect(mail.messageId).toBe(`<${id}@acme.example>`)
  expect(mail.subject).toBe('Uitnodiging voor Acme')
  expect(mail.headers.get('auto-submitted')).toBe('auto-generated')
  const token = await mailSystem.server.tokenTo(email)
  expect(mail.text).toContain('Hallo Ada <b>Adams</b>,\n\nacme-owner nodigt je uit om lid te worden van Acme.')
  expect(mail.text).toContain('Open deze pagina om in te loggen en de uitnodiging te aanvaarden:')
  expect(mail.text).toContain(`\n${publicUrl}/invitation?token=${token}\n`)
  expect(mail.html).toContain(`<a href="${publicUrl}/invitation?token=${token}">`)
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

test('with EXPLORER=off the mail has no link, because there is no page', async () => {
  const app = await createApp({ ...services, config: { ...services.config, explorer: false } })
  const email = address()
  const token = await tokenOf(tenant.users.owner)
  await request(app).post(path).set('Authorization', `Bearer ${token}`).send({ email }).expect(201)
  const { text } = await mailSystem.server.mailTo(email)
  expect(text).toContain('acme-owner nodigt je uit om lid te worden van Acme. Dit is het token van je uitnodiging:')
  expect(text).not.toContain('/invitation?')
  await request(app).get('/invitation').expect(404)
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
  expect((await mailSystem.server.mailTo(email)).subject).toBe(subject)
})

test('a mail shows the logo of the organization that invites', async () => {
  const { users } = await foundTenant('Branded', 'branded', { productionLike: true })
  const logo = await sharp({ create: { width: 40, height: 20, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
  expect((await as(users.owner).post('/organizations/logo').attach('file', logo, 'logo.png')).status).toBe(201)
  const email = address()
  expect((await as(users.owner).post(path, { email })).status).toBe(201)
  const { attachments, html } = await mailSystem.server.mailTo(email)
  expect(attachments).toEqual([expect.objectContaining({ contentType: 'image/png', related: true })])
  expect(await sharp(attachments[0].content).metadata()).toMatchObject({ width: 40, height: 20 })
  expect(html).toContain('<img')
})

test('no row of the database holds a token once its mail is sent', async () => {
  const email = address()
  const { body } = await api.post(path, { email }).set('Idempotency-Key', 'at-rest')
  const tokens = [await mailSystem.server.tokenTo(email)]
  await api.post(`${body['@id']}/resend`)
  tokens.push(await mailSystem.server.tokenTo(email, 2))
  await as(newcomer()).post(`${path}/accept`, { token: tokens[1] }).set('Idempotency-Key', 'at-rest-2')
  await eventually(async () => expect(await holding(tokens)).toEqual([]))
  for (const token of tokens) expect(mailSystem.log.join('')).not.toContain(token)
})

test('a key makes one invitation and one mail of a request that is repeated', async () => {
  const email = address()
  const [first, again] = [
    await api.post(path, { email }).set('Idempotency-Key', 'once'),
    await api.post(path, { email }).set('Idempotency-Key', 'once'),
  ]
  expect(again.body).toEqual(first.body)
  expect(await database.manager.countBy(OutgoingMail, { recipient: email })).toBe(1)
  const token = await mailSystem.server.tokenTo(email)
  const came = as(newcomer())
  const joined = await came.post(`${path}/accept`, { token }).set('Idempotency-Key', 'joined')
  const repeated = await came.post(`${path}/accept`, { token }).set('Idempotency-Key', 'joined')
  expect([joined.status, repeated.status, repeated.body]).toEqual([201, 201, joined.body])
})

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
