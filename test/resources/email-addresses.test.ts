const { api, as, database, given, organization, outside } = await openWorld()

// RFC 5321 §4.1.2: one strict grammar holds for all addresses.
// The same fault can occur in employees, invitations, token claims and MAIL_FROM.
// It can occur in recipients of mails stored before, and in every name that ends up in a mail header.
import { Employee, OutgoingMail, User } from '../../entities/index.ts'
import { readConfig } from '../../src/config.ts'
import { openWorld } from '../support/world.ts'

const long = (count: number) => 'x'.repeat(count)
const good = [
  'ada@example.com',
  "o'neill+tag=1@sub.example.co.uk",
  'A.B-c_d@EXAMPLE.com',
  `${long(64)}@example.com`,
  `a@${long(63)}.com`,
  `a@${Array(3).fill(long(63)).join('.')}.${long(50)}.nl`,
  'a@xn--bcher-kva.example',
  'a@example.xn--p1ai',
  '!#$%&*/?^`{|}~@example.com',
]
const bad = [
  '"a\r\nb"@example.com',
  '"a b"@example.com',
  '"victim@elsewhere.example"@example.com',
  'a@example.com\r\nBcc: b@example.com',
  'a@example.com\n',
  '\ta@example.com',
  ' a@example.com',
  'a@example.com ',
  'a(comment)@example.com',
  'a@(comment)example.com',
  'a@[127.0.0.1]',
  'a@[IPv6:::1]',
  'a@127.0.0.1',
  'a@localhost',
  'a@example',
  'a@example..com',
  'a@.example.com',
  'a@example.com.',
  'a@-example.com',
  'a@example-.com',
  'a@exa_mple.com',
  'a..b@example.com',
  '.a@example.com',
  'a.@example.com',
  '@example.com',
  'a@',
  'a@b@example.com',
  'a@example.com,b@example.com',
  'a@example.com;b@example.com',
  'Ada <ada@example.com>',
  '<ada@example.com>',
  'a\\b@example.com',
  'a\u0000@example.com',
  'a\u007f@example.com',
  'zoë@example.com',
  'a@bücher.example',
  'a@example。com',
  '\u202ea@example.com',
  `${long(65)}@example.com`,
  `a@${long(64)}.com`,
  `a@${Array(4).fill(long(63)).join('.')}.nl`,
]
const employee = (email: string) => api.post('/employees', { name: 'Ada', email })
const invitation = (email: string) => api.post('/organization-user-invitations', { email })

test.each(good)('%j is an address', async (email) => {
  expect((await employee(email)).body.email).toBe(email)
  expect((await invitation(email)).body.email).toBe(email)
})

test.each(bad)('%j is no address', async (email) => {
  for (const { status, body } of [await employee(email), await invitation(email)]) {
    expect([status, body.violations?.[0]?.propertyPath]).toEqual([422, 'email'])
    expect(body.violations[0].message).toMatch(/^email must /)
  }
})

test('OpenAPI and SHACL tell clients the rule that the server keeps', async () => {
  const { components } = JSON.parse((await api.get('/docs.jsonopenapi')).text)
  const { maxLength, allOf } = components.schemas.Employee.properties.email
  const told = allOf.map(({ pattern }: { pattern: string }) => new RegExp(pattern))
  const fits = (email: string) => email.length <= maxLength && told.every((pattern: RegExp) => pattern.test(email))
  for (const email of good) expect([email, fits(email)]).toEqual([email, true])
  for (const email of bad) expect([email, fits(email)]).toEqual([email, false])
  const docs = (await api.get('/docs.jsonld')).text
  for (const { source } of told) expect(docs).toContain(JSON.stringify(source))
})

test('an address of a token that is none is not kept', async () => {
  for (const [number, email] of ['"a\r\nb"@example.com', 'a@bücher.example', 'ada@example.com'].entries()) {
    const user = Object.assign(new User(), { subject: `claimed-${number}` })
    await as(user, { email, name: 'Ada' }).post('/organizations', { name: `Claimed ${number}` })
    const [kept] = await database.query('SELECT "email" FROM "user" WHERE "subject" = $1', [user.subject])
    expect(kept.email).toBe(number === 2 ? email : null)
  }
})

test('an address that was stored before stays readable, and other properties can be changed', async () => {
  const email = '"a\r\nb"@example.com'
  const { id } = await given(Employee, { name: 'Old', email })
  expect((await api.get(`/employees/${id}`)).body.email).toBe(email)
  const { status, body } = await api.patch(`/employees/${id}`, { name: 'Older' })
  expect([status, body.name, body.email]).toEqual([200, 'Older', email])
  expect((await api.patch(`/employees/${id}`, { email })).status).toBe(422)
})

test('no mail goes to an address that was stored before and is none', async () => {
  const mail = Object.assign(new OutgoingMail(), {
    organizationId: organization.id,
    subject: 'x',
    text: 'x',
    attachments: [],
  })
  const sent = outside.mailer.send(Object.assign(mail, { recipient: '"a\r\nRCPT TO:<b@example.com>"@example.com' }))
  await expect(sent).rejects.toMatchObject({ permanent: true, code: 'EENVELOPE' })
})

test('a name of several lines is one line of a mail', async () => {
  const name = 'Acme\r\nBcc: b@example.com'
  await api.patch(`/organizations/${organization.id}`, { name })
  await invitation('guest@example.com')
  const { subject } = await database.manager.findOneByOrFail(OutgoingMail, { recipient: 'guest@example.com' })
  expect(subject).not.toMatch(/[\r\n]/)
})

test.each(['Acme <"a b"@example.com>', '"a\r\nb" <a@example.com>', 'a@bücher.example', 'a\r\nb <a@example.com>'])(
  'MAIL_FROM is not %j',
  (MAIL_FROM) => expect(() => readConfig({ SMTP_URL: 'smtp://localhost', MAIL_FROM })).toThrow(/^MAIL_FROM must be/),
)
