import { eventually } from '../support/eventually.ts'
import { hurry } from '../support/mail.ts'
import { office } from '../support/post-office.ts'
import { database } from '../support/world.ts'
import { idle, jobsOf, mailed, mailOf, wiped } from './letters.ts'

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

afterEach(() => {
  office.server.refusal = undefined
})

describe('Mails are sent', () => {
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
})
