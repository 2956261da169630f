import { OrganizationUser, OrganizationUserInvitation, OutgoingMail, User } from '../../../entities/index.ts'
import { eventually } from '../../support/eventually.ts'
import { MailServer } from '../../support/mail.ts'
import { openWorld, type Tenant } from '../../support/world.ts'
import { KilledServer, type Step } from './killed-server.ts'

const { database, ending, foundTenant } = await openWorld()

const path = '/organization-user-invitations'
const mailServer = new MailServer()
await mailServer.start()
ending.unshift(() => mailServer.stop())
const server = new KilledServer({ SMTP_URL: mailServer.url, MAIL_FROM: 'Acme Ops <ops@acme.example>' })

beforeAll(() => server.start(), 60_000)

let people = 0

/** A person without a user row. */
const newcomer = (name: string) => Object.assign(new User(), { subject: name })

/** An organization, and a person whom its owner will invite. */
async function invitee() {
  const name = `invitee-${++people}`
  const tenant = await foundTenant(name, name)
  const email = `${name}@example.com`
  const invite = () => server.post(tenant.users.owner, path, { email }, name)
  const job = `'mail:' || (SELECT "id" FROM "outgoing_mail" WHERE "recipient" = '${email}')`
  return { name, tenant, email, invite, mailed: `NEW."recipient" = '${email}'`, job }
}

/** An invited person, once the mail has arrived. */
async function invited() {
  const one = await invitee()
  expect((await one.invite()).status).toBe(201)
  const token = await mailServer.tokenTo(one.email)
  await sent(one.email)
  const user = newcomer(one.name)
  const accept = () => server.post(user, `${path}/accept`, { token }, `accept-${one.name}`)
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

/** Expects one invitation, copies of one mail, and a token that makes one person a member. */
async function expectInvited({ tenant, email, name }: { tenant: Tenant; email: string; name: string }, times = 1) {
  const mail = await sent(email)
  expect(mail).toMatchObject({ html: null, text: null, attachments: [] })
  const mails = mailServer.to(email)
  expect(mails).toHaveLength(times)
  expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1)
  const token = await mailServer.tokenTo(email)
  const accepted = await server.post(newcomer(name), `${path}/accept`, { token }, `accept-${name}`)
  expect([accepted.status, accepted.body.status]).toEqual([201, 'accepted'])
  await expectMember(tenant, name)
}

/** Expects one invitation, one user and one membership. */
async function expectMember({ organization }: Tenant, subject: string): Promise<void> {
  const own = { organizationId: organization.id }
  const [user] = await database.manager.findBy(User, { subject })
  expect(await database.manager.findBy(OrganizationUserInvitation, own)).toEqual([
    expect.objectContaining({ status: 'accepted', acceptedById: user.id }),
  ])
  expect(await database.manager.findBy(OrganizationUser, { ...own, userId: user.id })).toHaveLength(1)
  expect(await database.manager.countBy(User, { subject })).toBe(1)
}

async function expectNoMember({ organization, users }: Tenant, subject: string): Promise<void> {
  const own = { organizationId: organization.id }
  expect(await database.manager.countBy(User, { subject })).toBe(0)
  expect(await database.manager.countBy(OrganizationUser, own)).toBe(Object.keys(users).length)
  expect((await database.manager.findBy(OrganizationUserInvitation, own)).map(({ status }) => status)).toEqual([
    'pending',
  ])
}

/** Stops an invitation. Nothing of it is stored, and the same request creates it. */
const stopInviting = (timing: string) => async (): Promise<Step> => {
  const one = await invitee()
  return {
    killPoint: { timing, condition: one.mailed },
    start: one.invite,
    async verify() {
      const own = { organizationId: one.tenant.organization.id }
      expect(await database.manager.countBy(OrganizationUserInvitation, own)).toBe(0)
      expect(await database.manager.countBy(OutgoingMail, own)).toBe(0)
      const { status, headers } = await one.invite()
      expect([status, headers['idempotent-replayed']]).toEqual([201, undefined])
      await expectInvited(one)
    },
  }
}

/** Stops an acceptance. Nothing of it is stored, and the same request makes the person a member. */
const stopAccepting = (timing: string) => async (): Promise<Step> => {
  const one = await invited()
  return {
    killPoint: { timing, condition: one.joined },
    start: one.accept,
    async verify() {
      await expectNoMember(one.tenant, one.name)
      const { status, headers } = await one.accept()
      expect([status, headers['idempotent-replayed']]).toEqual([201, undefined])
      await expectMember(one.tenant, one.name)
    },
  }
}

/** Enqueues the job that runs every minute and re-enqueues stale work. */
const runMinuteJob = () => database.query(`SELECT graphile_worker.add_job('takeUp')`)

server.killAtSteps('After the server is killed during a request,', [
  [
    'an invitation is mailed whose job the killed process had locked when the server was back',
    async () => {
      const one = await invitee()
      const condition = `NEW."locked_at" IS NOT NULL AND NEW."key" = ${one.job}`
      return {
        killPoint: { timing: 'BEFORE UPDATE ON graphile_worker."_private_jobs"', condition, outcome: 'late' },
        start: one.invite,
        async verify() {
          await runMinuteJob()
          await expectInvited(one)
        },
      }
    },
  ],
  [
    'an invitation whose mail was being stored does not exist, and can be created again',
    stopInviting('BEFORE INSERT ON "outgoing_mail"'),
  ],
  [
    'an invitation whose commit was lost does not exist, and can be created again',
    stopInviting('COMMIT OF INSERT ON "outgoing_mail"'),
  ],
  [
    'an invitation that was committed without a response exists once, and is mailed',
    async () => {
      const one = await invitee()
      return {
        killPoint: { timing: 'COMMIT OF INSERT ON "outgoing_mail"', condition: one.mailed, outcome: 'done' },
        start: one.invite,
        async verify() {
          const { status, headers } = await one.invite()
          expect([status, headers['idempotent-replayed']]).toEqual([201, 'true'])
          await expectInvited(one)
        },
      }
    },
  ],
  [
    'an acceptance that was not committed leaves no member, and can be repeated',
    stopAccepting('BEFORE INSERT ON "organization_user"'),
  ],
  [
    'an acceptance whose commit was lost leaves no member, and can be repeated',
    stopAccepting('COMMIT OF INSERT ON "organization_user"'),
  ],
  [
    'an acceptance that was committed without a response makes the person a member once',
    async () => {
      const one = await invited()
      return {
        killPoint: { timing: 'COMMIT OF INSERT ON "organization_user"', condition: one.joined, outcome: 'done' },
        start: one.accept,
        async verify() {
          await expectMember(one.tenant, one.name)
          const { status, headers } = await one.accept()
          expect([status, headers['idempotent-replayed']]).toEqual([201, 'true'])
          await expectMember(one.tenant, one.name)
        },
      }
    },
  ],
])

/** Sends a mail up to a command that the mail server does not answer. */
const unanswered = (command: 'MAIL' | 'RCPT' | 'DATA', times: number) => async (): Promise<Step> => {
  const one = await invitee()
  return {
    async start() {
      const before = mailServer.unanswered
      mailServer.silence = command
      await one.invite()
      await eventually(
        async () => mailServer.unanswered,
        (count) => expect(count).toBeGreaterThan(before),
      )
      mailServer.silence = undefined
    },
    verify: () => expectInvited(one, times),
  }
}

/** Stops the job of a mail when it updates the mail's status. */
const stopMarking = (status: string, outcome: 'undone' | 'done', times: number) => async (): Promise<Step> => {
  const one = await invitee()
  return {
    killPoint: {
      timing: 'BEFORE UPDATE ON "outgoing_mail"',
      condition: `${one.mailed} AND NEW."status" = '${status}'`,
      outcome,
    },
    start: one.invite,
    verify: () => expectInvited(one, times),
  }
}

server.killAtSteps('After the server is killed before a mail is delivered, it arrives', [
  ['once when its job was claiming it', stopMarking('pending', 'done', 1)],
  ['once when its sender had been sent', unanswered('MAIL', 1)],
  ['once when its recipient had been sent', unanswered('RCPT', 1)],
])

server.killAtSteps('After the server is killed after a mail is delivered, it arrives', [
  ['twice with one Message-ID when the mail server had not confirmed it', unanswered('DATA', 2)],
  ['twice with one Message-ID when it was not marked as sent', stopMarking('sent', 'undone', 2)],
  ['once when it was marked as sent without a response', stopMarking('sent', 'done', 1)],
  [
    'once when its job was not marked as done',
    async () => {
      const one = await invitee()
      return {
        killPoint: { timing: 'BEFORE DELETE ON graphile_worker."_private_jobs"', condition: `OLD."key" = ${one.job}` },
        start: one.invite,
        verify: () => expectInvited(one),
      }
    },
  ],
])
