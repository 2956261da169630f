import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { OutgoingMail } from '../entities/index.ts'
import { readConfig } from '../src/config.ts'
import { forget, post, sweep } from '../src/mail/outbox.ts'
import { eventually } from './world/eventually.ts'
import { api, as, database, organization, person } from './world/index.ts'
import { hurry, openPostOffice, type PostOffice, tokenIn } from './world/mail.ts'

const path = '/organization-user-invitations'
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const wiped = { html: null, text: null, attachments: [] }
let count = 0
let office: PostOffice

const address = () => `mailed-${++count}@example.com`

describe('Mails are sent', () => {
  beforeAll(async () => {
    office = await openPostOffice()
  })
  afterEach(() => {
    office.server.refusal = undefined
  })
  afterAll(() => office.close())

  test('once, and what they said is forgotten then', async () => {
    const recipient = await mailed()
    await office.server.mailTo(recipient)
    await eventually(async () =>
      expect(await mailOf(recipient)).toMatchObject({ status: 'sent', ...wiped, attempts: 1 }),
    )
    expect((await mailOf(recipient)).sentAt).toBeInstanceOf(Date)
    await hurry()
    await idle()
    expect(office.server.to(recipient)).toHaveLength(1)
  })

  test('with a logo that is shown inside them', async () => {
    const recipient = await mailed({
      html: '<p><img src="cid:logo"> Hello</p>',
      attachments: [{ cid: 'logo', name: 'logo', type: 'image/png', content: pixel }],
    })
    const mail = await office.server.mailTo(recipient)
    expect(mail.attachments).toMatchObject([
      { cid: 'logo', contentType: 'image/png', contentDisposition: 'inline', related: true },
    ])
    expect(mail.attachments[0].content.toString('base64')).toBe(pixel)
  })

  test.each(['MAIL', 'RCPT', 'DATA'] as const)('again when %s is refused for now', async (at) => {
    office.server.refusal = { at, code: 451 }
    const recipient = await mailed()
    await eventually(async () =>
      expect(await mailOf(recipient)).toMatchObject({
        status: 'pending',
        attempts: 1,
        error: expect.stringContaining('451'),
        text: 'Hello',
      }),
    )
    expect((await mailOf(recipient)).dueAt.getTime()).toBeGreaterThan(Date.now() + 15_000)
    expect(await jobsOf(recipient)).toMatchObject([{ later: true }])

    office.server.refusal = undefined
    await hurry()
    const mail = await office.server.mailTo(recipient)
    const { id } = await mailOf(recipient)
    expect(mail.messageId).toBe(`<${id}@acme.example>`)
    await eventually(async () =>
      expect(await mailOf(recipient)).toMatchObject({ status: 'sent', attempts: 2, error: null, ...wiped }),
    )
  })

  test.each(['RCPT', 'DATA'] as const)('never again when %s is refused for good', async (at) => {
    office.server.refusal = { at, code: 550 }
    const recipient = await mailed()
    await eventually(async () =>
      expect(await mailOf(recipient)).toMatchObject({
        status: 'failed',
        attempts: 1,
        error: expect.stringContaining('550'),
        ...wiped,
      }),
    )
    expect(office.log.join('')).toContain('put aside')
  })

  test('when the server is back that was away', async () => {
    await office.server.stop()
    const recipient = await mailed()
    await eventually(async () =>
      expect(await mailOf(recipient)).toMatchObject({ status: 'pending', attempts: 1, error: expect.any(String) }),
    )
    await office.server.start()
    await hurry()
    await office.server.mailTo(recipient)
  })

  test('until ten attempts have failed, and put aside then', async () => {
    office.server.refusal = { at: 'RCPT', code: 450 }
    const recipient = await mailed()
    for (let attempts = 1; attempts < 10; attempts++) {
      await eventually(async () =>
        expect(await mailOf(recipient)).toMatchObject({ status: 'pending', attempts, error: expect.any(String) }),
      )
      await eventually(async () => expect(await jobsOf(recipient)).toMatchObject([{ later: true }]))
      await database.query(`UPDATE "outgoing_mail" SET "error" = NULL WHERE "recipient" = $1`, [recipient])
      await hurry()
    }
    await eventually(async () =>
      expect(await mailOf(recipient)).toMatchObject({ status: 'failed', attempts: 10, ...wiped }),
    )
    await hurry()
    await idle()
    expect((await mailOf(recipient)).attempts).toBe(10)
  })

  test('though the process that was at them has died, once they are not left to it any more', async () => {
    const recipient = await mailed()
    await eventually(async () => expect((await mailOf(recipient)).status).toBe('sent'))

    const taken = `UPDATE "outgoing_mail" SET "status" = 'pending', "text" = 'Hello', "attempts" = 1, "dueAt" = now() + $2::interval
      WHERE "recipient" = $1`
    await database.query(taken, [recipient, '1 minute'])
    await sweep(database)
    await idle()
    expect(office.server.to(recipient)).toHaveLength(1)

    await database.query(taken, [recipient, '-1 second'])
    await sweep(database)
    await office.server.mailTo(recipient, 2)
    const [first, second] = office.server.to(recipient)
    expect(second.messageId).toBe(first.messageId)
  })

  test('not when what they tell of is not so any more', async () => {
    office.server.refusal = { at: 'MAIL', code: 451 }
    const [revoked, sentAgain, accepted] = [address(), address(), address()]
    const iris: Record<string, string> = {}
    for (const email of [revoked, sentAgain, accepted])
      iris[email] = (await api.post(path, { email }).expect(201)).body['@id']
    const token = tokenIn((await mailOf(accepted)).text as string)
    await eventually(async () => {
      for (const email of [revoked, sentAgain, accepted]) expect((await mailOf(email)).attempts).toBe(1)
    })
    await idle()
    await api.delete(iris[revoked]).expect(204)
    await api.post(`${iris[sentAgain]}/resend`).expect(201)
    const ada = await person('ada')
    expect((await as(ada).post(`${path}/accept`, { token })).status).toBe(201)
    office.server.refusal = undefined
    await hurry()
    await office.server.mailTo(sentAgain)
    await idle()
    for (const email of [revoked, accepted]) {
      expect(await mailOf(email)).toMatchObject({ status: 'withdrawn', ...wiped })
      expect(office.server.to(email)).toEqual([])
    }
    expect(office.server.to(sentAgain)).toHaveLength(1)
    expect(await database.manager.countBy(OutgoingMail, { recipient: sentAgain, status: 'withdrawn' })).toBe(1)
  })

  test('never of what has been rolled back', async () => {
    const recipient = address()
    const undone = database.transaction(async (manager) => {
      await post(manager, letterTo(recipient))
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await database.manager.countBy(OutgoingMail, { recipient })).toBe(0)
    expect(await jobsOf(recipient)).toEqual([])
  })

  test('and a month later it is forgotten to whom', async () => {
    const recipient = await mailed()
    await eventually(async () => expect((await mailOf(recipient)).status).toBe('sent'))
    await forget(database)
    expect(await database.manager.countBy(OutgoingMail, { recipient })).toBe(1)
    await database.query(`UPDATE "outgoing_mail" SET "updatedAt" = now() - interval '31 days' WHERE "recipient" = $1`, [
      recipient,
    ])
    await forget(database)
    expect(await database.manager.countBy(OutgoingMail, { recipient })).toBe(0)
  })
})

describe('Without a mail server', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mails-'))
    office = await openPostOffice(join(folder, 'mail'))
  })
  afterAll(async () => {
    await office.close()
    await rm(folder, { recursive: true })
  })

  test('mails are kept as files for this account alone, and it is logged where', async () => {
    const email = address()
    await api.post(path, { email }).expect(201)
    await eventually(async () => expect((await mailOf(email)).status).toBe('sent'))
    const { id } = await mailOf(email)
    const file = join(folder, 'mail', `${id}.eml`)
    expect(await readdir(join(folder, 'mail'))).toEqual([`${id}.eml`])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const mail = await simpleParser(await readFile(file))
    expect(mail).toMatchObject({ subject: 'Uitnodiging voor Acme', messageId: `<${id}@localhost>` })
    const token = tokenIn(mail.text as string)
    const log = office.log.join('')
    expect(log).toContain(file)
    expect(log).not.toContain(token)
    expect((await as(await person('reader')).post(`${path}/accept`, { token })).status).toBe(201)
  })
})

describe('A mail server', () => {
  const [SMTP_URL, MAIL_FROM] = ['smtp://user:secret@mail.example:587', 'ops@acme.example']

  test('is none on a bare machine', () => {
    expect(readConfig({}).smtp).toBeUndefined()
  })

  test.each([
    ['ops@acme.example', { name: '', address: 'ops@acme.example' }],
    ['<ops@acme.example>', { name: '', address: 'ops@acme.example' }],
    ['Acme Ops <ops@acme.example>', { name: 'Acme Ops', address: 'ops@acme.example' }],
    ['"Acme, Inc." <ops@acme.example>', { name: 'Acme, Inc.', address: 'ops@acme.example' }],
  ])('sends from %s', (from, read) => {
    expect(readConfig({ SMTP_URL, MAIL_FROM: from }).smtp).toEqual({ url: SMTP_URL, from: read })
  })

  test.each([
    ['SMTP_URL', 'mail.example'],
    ['SMTP_URL', 'http://user:secret@mail.example'],
    ['SMTP_URL', 'smtp://'],
    ['MAIL_FROM', 'Acme'],
    ['MAIL_FROM', 'a@b.example, c@d.example'],
    ['MAIL_FROM', 'Acme <a@b.example> <c@d.example>'],
    ['MAIL_FROM', 'Acme, Inc. <ops@acme.example>'],
  ])('is refused with %s=%s, in one sentence that repeats no password', (name, value) => {
    const sentence = refusal({ SMTP_URL, MAIL_FROM, [name]: value })
    expect(sentence).toMatch(new RegExp(`^${name} must .+\\.$`))
    expect(sentence).not.toContain('secret')
  })

  test('is told all of or nothing', () => {
    for (const one of [{ SMTP_URL }, { MAIL_FROM }])
      expect(refusal(one)).toBe('SMTP_URL and MAIL_FROM are set together or not at all.')
  })

  test('must be there in production', () => {
    const other = {
      STRIPE_SECRET_KEY: 'sk_live_1',
      STRIPE_PUBLISHABLE_KEY: 'pk_live_1',
      STRIPE_WEBHOOK_SECRET: 'whsec_1',
      PUBLIC_URL: 'https://api.example',
      DATABASE_URL: 'postgres://db.example/api',
    }
    expect(refusal({ NODE_ENV: 'production', ...other })).toMatch(
      /^SMTP_URL and MAIL_FROM must be set in production: .+\.$/,
    )
  })

  function refusal(environment: Record<string, string | undefined>): string {
    try {
      return `It was read: ${JSON.stringify(readConfig(environment))}`
    } catch (error) {
      return (error as Error).message
    }
  }
})

function letterTo(recipient: string) {
  const said = { subject: 'Hello', html: '<p>Hello</p>', text: 'Hello', attachments: [] as OutgoingMail['attachments'] }
  return { organizationId: organization.id, recipient, about: '/somewhere', ...said }
}

async function mailed(values: Partial<OutgoingMail> = {}): Promise<string> {
  const recipient = address()
  await database.transaction((manager) => post(manager, { ...letterTo(recipient), ...values }))
  return recipient
}

/** The newest mail to an address, as the outbox has it. */
async function mailOf(recipient: string): Promise<OutgoingMail> {
  const [mail] = await database.manager.find(OutgoingMail, { where: { recipient }, order: { id: 'DESC' } })
  return mail
}

function jobsOf(recipient: string): Promise<{ later: boolean }[]> {
  return database.query(
    `SELECT "run_at" > now() + interval '15 seconds' AS "later" FROM graphile_worker.jobs
      JOIN "outgoing_mail" "mail" ON "key" = 'mail:' || "mail"."id" WHERE "recipient" = $1`,
    [recipient],
  )
}

/** Waits until the queue has nothing to do just now. */
function idle(): Promise<void> {
  return eventually(async () => {
    const waiting = await database.query(`SELECT FROM graphile_worker.jobs WHERE "run_at" <= now()`)
    expect(waiting).toEqual([])
  })
}
