import { OrganizationUser, OrganizationUserInvitation, OutgoingMail, User } from '../../../entities/index.ts'
import { eventually } from '../../support/eventually.ts'
import { MailServer } from '../../support/mail.ts'
import { database, ending, foundTenant, type Tenant } from '../../support/world.ts'
import { KilledServer, type Step } from './killed-server.ts'

const path = '/organization-user-invitations'
const office = new MailServer()
await office.start()
ending.unshift(() => office.stop())
const victim = new KilledServer({ SMTP_URL: office.url, MAIL_FROM: 'Acme Ops <ops@acme.example>' })

beforeAll(() => victim.start(), 60_000)

let people = 0

/** Somebody who is not known here yet. */
const newcomer = (name: string) => Object.assign(new User(), { subject: name })

/** An organization, and somebody whom its owner means to invite. */
async function invitee() {
  const name = `invitee-${++people}`
  const tenant = await foundTenant(name, name)
  const email = `${name}@example.com`
  const invite = () => victim.post(tenant.users.owner, path, { email }, name)
  const job = `'mail:' || (SELECT "id" FROM "outgoing_mail" WHERE "recipient" = '${email}')`
  return { name, tenant, email, invite, mailed: `NEW."recipient" = '${email}'`, job }
}

/** The same, once the mail has come. */
async function invited() {
  const one = await invitee()
  expect((await one.invite()).status).toBe(201)
  const token = await office.tokenTo(one.email)
  await sent(one.email)
  const user = newcomer(one.name)
  const accept = () => victim.post(user, `${path}/accept`, { token }, `accept-${one.name}`)
  return { ...one, accept, joined: `NEW."organizationId" = '${one.tenant.organization.id}'` }
}

/** The mail of an invitation, once it is marked as sent. */
async function sent(recipient: string): Promise<OutgoingMail> {
  const [mail] = await eventually(
    () => database.manager.findBy(OutgoingMail, { recipient }),
    (mails) => expect([...new Set(mails.map(({ status }) => status))]).toEqual(['sent']),
    30,
  )
  return mail
}

/** There is one invitation, its mail has come so many times, but is one, and its token lets one person in, once. */
async function expectInvited({ tenant, email, name }: { tenant: Tenant; email: string; name: string }, times = 1) {
  const mail = await sent(email)
  expect(mail).toMatchObject({ html: null, text: null, attachments: [] })
  const mails = office.to(email)
  expect(mails).toHaveLength(times)
  expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1)
  const token = await office.tokenTo(email)
  const came = await victim.post(newcomer(name), `${path}/accept`, { token }, `come-${name}`)
  expect([came.status, came.body.status]).toEqual([201, 'accepted'])
  await expectMember(tenant, name)
}

/** One invitation, one user, one membership: all of them or none. */
async function expectMember({ organization }: Tenant, subject: string): Promise<void> {
  const own = { organizationId: organization.id }
  const [user] = await database.manager.findBy(User, { subject })
  expect(await database.manager.findBy(OrganizationUserInvitation, own)).toEqual([
    expect.objectContaining({ status: 'accepted', acceptedById: user.id }),
  ])
  expect(await database.manager.findBy(OrganizationUser, { ...own, userId: user.id })).toHaveLength(1)
  expect(await database.manager.countBy(User, { subject })).toBe(1)
}

async function expectNobody({ organization, users }: Tenant, subject: string): Promise<void> {
  const own = { organizationId: organization.id }
  expect(await database.manager.countBy(User, { subject })).toBe(0)
  expect(await database.manager.countBy(OrganizationUser, own)).toBe(Object.keys(users).length)
  expect((await database.manager.findBy(OrganizationUserInvitation, own)).map(({ status }) => status)).toEqual([
    'pending',
  ])
}

/** Halts somebody who invites; nothing of that is left, and the same request makes it anew. */
const inviting = (when: string) => async (): Promise<Step> => {
  const one = await invitee()
  return {
    at: { when, which: one.mailed },
    begin: one.invite,
    async after() {
      const own = { organizationId: one.tenant.organization.id }
      expect(await database.manager.countBy(OrganizationUserInvitation, own)).toBe(0)
      expect(await database.manager.countBy(OutgoingMail, own)).toBe(0)
      const { status, headers } = await one.invite()
      expect([status, headers['idempotent-replayed']]).toEqual([201, undefined])
      await expectInvited(one)
    },
  }
}

/** Halts somebody who accepts; nothing of that is left, and the same request lets them in. */
const accepting = (when: string) => async (): Promise<Step> => {
  const one = await invited()
  return {
    at: { when, which: one.joined },
    begin: one.accept,
    async after() {
      await expectNobody(one.tenant, one.name)
      const { status, headers } = await one.accept()
      expect([status, headers['idempotent-replayed']]).toEqual([201, undefined])
      await expectMember(one.tenant, one.name)
    },
  }
}

/** The minute is full: what is due is taken up though nobody was told of it. */
const clockStrikes = () => database.query(`SELECT graphile_worker.add_job('takeUp')`)

victim.killedWhile('The server is killed while somebody asks it, and', [
  [
    'an invitation is mailed whose job the dead had just been given, and still held when the server was back',
    async () => {
      const one = await invitee()
      const which = `NEW."locked_at" IS NOT NULL AND NEW."key" = ${one.job}`
      return {
        at: { when: 'BEFORE UPDATE ON graphile_worker."_private_jobs"', which, fate: 'late' },
        begin: one.invite,
        async after() {
          await clockStrikes()
          await expectInvited(one)
        },
      }
    },
  ],
  [
    'an invitation is not there whose mail was being written, and can be made again',
    inviting('BEFORE INSERT ON "outgoing_mail"'),
  ],
  [
    'an invitation is not there that was committed in vain, and can be made again',
    inviting('COMMIT OF INSERT ON "outgoing_mail"'),
  ],
  [
    'an invitation is there once that was committed though nobody heard of it, and is mailed',
    async () => {
      const one = await invitee()
      return {
        at: { when: 'COMMIT OF INSERT ON "outgoing_mail"', which: one.mailed, fate: 'done' },
        begin: one.invite,
        async after() {
          const { status, headers } = await one.invite()
          expect([status, headers['idempotent-replayed']]).toEqual([201, 'true'])
          await expectInvited(one)
        },
      }
    },
  ],
  [
    'nobody is a member who was about to become one, and can accept again',
    accepting('BEFORE INSERT ON "organization_user"'),
  ],
  [
    'nobody is a member who became one in vain, and can accept again',
    accepting('COMMIT OF INSERT ON "organization_user"'),
  ],
  [
    'somebody is a member once who became one and did not hear of it',
    async () => {
      const one = await invited()
      return {
        at: { when: 'COMMIT OF INSERT ON "organization_user"', which: one.joined, fate: 'done' },
        begin: one.accept,
        async after() {
          await expectMember(one.tenant, one.name)
          const { status, headers } = await one.accept()
          expect([status, headers['idempotent-replayed']]).toEqual([201, 'true'])
          await expectMember(one.tenant, one.name)
        },
      }
    },
  ],
])

/** Brings a mail to a command that the mail server does not answer. */
const unanswered = (command: 'MAIL' | 'RCPT' | 'DATA', times: number) => async (): Promise<Step> => {
  const one = await invitee()
  return {
    async begin() {
      const before = office.unanswered
      office.silence = command
      await one.invite()
      await eventually(
        async () => office.unanswered,
        (count) => expect(count).toBeGreaterThan(before),
      )
      office.silence = undefined
    },
    after: () => expectInvited(one, times),
  }
}

/** Halts the job of a mail where it says in the outbox how far it has come. */
const marking = (status: string, fate: 'undone' | 'done', times: number) => async (): Promise<Step> => {
  const one = await invitee()
  return {
    at: { when: 'BEFORE UPDATE ON "outgoing_mail"', which: `${one.mailed} AND NEW."status" = '${status}'`, fate },
    begin: one.invite,
    after: () => expectInvited(one, times),
  }
}

victim.killedWhile('The server is killed before a mail is handed over, and it comes once', [
  ['when it was being taken', marking('pending', 'done', 1)],
  ['when its sender had been told', unanswered('MAIL', 1)],
  ['when its recipient had been told', unanswered('RCPT', 1)],
])

victim.killedWhile('The server is killed after a mail was handed over, and it comes', [
  ['twice, and is the same, when the mail server had not said that it has it', unanswered('DATA', 2)],
  ['twice, and is the same, when it was not marked as sent', marking('sent', 'undone', 2)],
  ['once when it was marked as sent though nobody heard of it', marking('sent', 'done', 1)],
  [
    'once when its job was not marked as done',
    async () => {
      const one = await invitee()
      return {
        at: { when: 'BEFORE DELETE ON graphile_worker."_private_jobs"', which: `OLD."key" = ${one.job}` },
        begin: one.invite,
        after: () => expectInvited(one),
      }
    },
  ],
])
