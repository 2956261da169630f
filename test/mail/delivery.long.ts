import { eventually } from '../support/eventually.ts'
import { makeMailsDue } from '../support/mail.ts'
import { mailSystem } from '../support/mail-server.ts'
import { openWorld } from '../support/world.ts'
import { clearedContent, enqueueMailTo, jobsOf, queueIdle, storedMail } from './mail-fixtures.ts'

const { database } = await openWorld()

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

afterEach(() => {
  mailSystem.server.refusal = undefined
})

describe('A mail', () => {
  test('is sent once, and its content is deleted after that', async () => {
    const recipient = await enqueueMailTo()
    await mailSystem.server.mailTo(recipient)
    await eventually(async () =>
      expect(await storedMail(recipient)).toMatchObject({ status: 'sent', ...clearedContent, attempts: 1 }),
    )
    expect((await storedMail(recipient)).sentAt).toBeInstanceOf(Date)
    await makeMailsDue()
    await queueIdle()
    expect(mailSystem.server.to(recipient)).toHaveLength(1)
  })

  test('holds the logo as an inline image', async () => {
    const recipient = await enqueueMailTo({
      html: '<p><img src="cid:logo"> Hello</p>',
      attachments: [{ cid: 'logo', name: 'logo', type: 'image/png', content: pixel }],
    })
    const mail = await mailSystem.server.mailTo(recipient)
    expect(mail.attachments).toMatchObject([
      { cid: 'logo', contentType: 'image/png', contentDisposition: 'inline', related: true },
    ])
    expect(mail.attachments[0].content.toString('base64')).toBe(pixel)
  })

  test.each(['MAIL', 'RCPT', 'DATA'] as const)('is sent again when %s is refused temporarily', async (at) => {
    mailSystem.server.refusal = { at, code: 451 }
    const recipient = await enqueueMailTo()
    await eventually(async () =>
      expect(await storedMail(recipient)).toMatchObject({
        status: 'pending',
        attempts: 1,
        error: expect.stringContaining('451'),
        text: 'Hello',
      }),
    )
    expect((await storedMail(recipient)).dueAt.getTime()).toBeGreaterThan(Date.now() + 15_000)
    expect(await jobsOf(recipient)).toMatchObject([{ later: true }])

    mailSystem.server.refusal = undefined
    await makeMailsDue()
    const mail = await mailSystem.server.mailTo(recipient)
    const { id } = await storedMail(recipient)
    expect(mail.messageId).toBe(`<${id}@acme.example>`)
    await eventually(async () =>
      expect(await storedMail(recipient)).toMatchObject({
        status: 'sent',
        attempts: 2,
        error: null,
        ...clearedContent,
      }),
    )
  })

  test.each(['RCPT', 'DATA'] as const)('is not sent again when %s is refused permanently', async (at) => {
    mailSystem.server.refusal = { at, code: 550 }
    const recipient = await enqueueMailTo()
    await eventually(async () =>
      expect(await storedMail(recipient)).toMatchObject({
        status: 'failed',
        attempts: 1,
        error: expect.stringContaining('550'),
        ...clearedContent,
      }),
    )
    expect(mailSystem.log.join('')).toContain('giving up')
  })

  test('is sent when the mail server is reachable again', async () => {
    await mailSystem.server.stop()
    const recipient = await enqueueMailTo()
    await eventually(async () =>
      expect(await storedMail(recipient)).toMatchObject({ status: 'pending', attempts: 1, error: expect.any(String) }),
    )
    await mailSystem.server.start()
    await makeMailsDue()
    await mailSystem.server.mailTo(recipient)
  })

  test('is marked failed after ten attempts', async () => {
    mailSystem.server.refusal = { at: 'RCPT', code: 450 }
    const recipient = await enqueueMailTo()
    for (let attempts = 1; attempts < 10; attempts++) {
      await eventually(async () =>
        expect(await storedMail(recipient)).toMatchObject({ status: 'pending', attempts, error: expect.any(String) }),
      )
      await eventually(async () => expect(await jobsOf(recipient)).toMatchObject([{ later: true }]))
      await database.query(`UPDATE "outgoing_mail" SET "error" = NULL WHERE "recipient" = $1`, [recipient])
      await makeMailsDue()
    }
    await eventually(async () =>
      expect(await storedMail(recipient)).toMatchObject({ status: 'failed', attempts: 10, ...clearedContent }),
    )
    await makeMailsDue()
    await queueIdle()
    expect((await storedMail(recipient)).attempts).toBe(10)
  })
})
