import { OutgoingMail } from '../../entities/index.ts'
import { deleteOldMail, enqueueMail, enqueueStaleMail } from '../../src/mail/outbox.ts'
import { eventually } from '../support/eventually.ts'
import { makeMailsDue, tokenIn } from '../support/mail.ts'
import { mailSystem } from '../support/mail-server.ts'
import { openWorld } from '../support/world.ts'
import { address, clearedContent, enqueueMailTo, jobsOf, mailTo, path, queueIdle, storedMail } from './mail-fixtures.ts'

const { api, as, database, person } = await openWorld()

afterEach(() => {
  mailSystem.server.refusal = undefined
})

describe('A mail', () => {
  test('is sent by another process when its own has died, after a pause', async () => {
    const recipient = await enqueueMailTo()
    await eventually(async () => expect((await storedMail(recipient)).status).toBe('sent'))

    const taken = `UPDATE "outgoing_mail" SET "status" = 'pending', "text" = 'Hello', "attempts" = 1, "dueAt" = now() + $2::interval
      WHERE "recipient" = $1`
    await database.query(taken, [recipient, '1 minute'])
    await enqueueStaleMail(database)
    await queueIdle()
    expect(mailSystem.server.to(recipient)).toHaveLength(1)

    await database.query(taken, [recipient, '-1 second'])
    await enqueueStaleMail(database)
    await mailSystem.server.mailTo(recipient, 2)
    const [first, second] = mailSystem.server.to(recipient)
    expect(second.messageId).toBe(first.messageId)
  })

  test('is not sent when its content is outdated', async () => {
    mailSystem.server.refusal = { at: 'MAIL', code: 451 }
    const [revoked, sentAgain, accepted] = [address(), address(), address()]
    const iris: Record<string, string> = {}
    for (const email of [revoked, sentAgain, accepted])
      iris[email] = (await api.post(path, { email }).expect(201)).body['@id']
    const token = tokenIn((await storedMail(accepted)).text as string)
    await eventually(async () => {
      for (const email of [revoked, sentAgain, accepted]) expect((await storedMail(email)).attempts).toBe(1)
    })
    await queueIdle()
    await api.delete(iris[revoked]).expect(204)
    await api.post(`${iris[sentAgain]}/resend`).expect(201)
    const ada = await person('ada')
    expect((await as(ada).post(`${path}/accept`, { token })).status).toBe(201)
    mailSystem.server.refusal = undefined
    await makeMailsDue()
    await mailSystem.server.mailTo(sentAgain)
    await queueIdle()
    for (const email of [revoked, accepted]) {
      expect(await storedMail(email)).toMatchObject({ status: 'withdrawn', ...clearedContent })
      expect(mailSystem.server.to(email)).toEqual([])
    }
    expect(mailSystem.server.to(sentAgain)).toHaveLength(1)
    expect(await database.manager.countBy(OutgoingMail, { recipient: sentAgain, status: 'withdrawn' })).toBe(1)
  })

  test('is not sent when its transaction is rolled back', async () => {
    const recipient = address()
    const undone = database.transaction(async (manager) => {
      await enqueueMail(manager, mailTo(recipient))
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await database.manager.countBy(OutgoingMail, { recipient })).toBe(0)
    expect(await jobsOf(recipient)).toEqual([])
  })

  test('loses its recipient a month after it was sent', async () => {
    const recipient = await enqueueMailTo()
    await eventually(async () => expect((await storedMail(recipient)).status).toBe('sent'))
    await deleteOldMail(database)
    expect(await database.manager.countBy(OutgoingMail, { recipient })).toBe(1)
    await database.query(`UPDATE "outgoing_mail" SET "updatedAt" = now() - interval '31 days' WHERE "recipient" = $1`, [
      recipient,
    ])
    await deleteOldMail(database)
    expect(await database.manager.countBy(OutgoingMail, { recipient })).toBe(0)
  })
})
