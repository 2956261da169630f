import { OutgoingMail } from '../../entities/index.ts'
import { deleteOldMail, enqueueMail, enqueueStaleMail } from '../../src/mail/outbox.ts'
import { eventually } from '../support/eventually.ts'
import { hurry, tokenIn } from '../support/mail.ts'
import { office } from '../support/post-office.ts'
import { api, as, database, person } from '../support/world.ts'
import { address, idle, jobsOf, letterTo, mailed, mailOf, path, wiped } from './letters.ts'

afterEach(() => {
  office.server.refusal = undefined
})

describe('Mails are sent', () => {
  test('though the process that was at them has died, once they are not left to it any more', async () => {
    const recipient = await mailed()
    await eventually(async () => expect((await mailOf(recipient)).status).toBe('sent'))

    const taken = `UPDATE "outgoing_mail" SET "status" = 'pending', "text" = 'Hello', "attempts" = 1, "dueAt" = now() + $2::interval
      WHERE "recipient" = $1`
    await database.query(taken, [recipient, '1 minute'])
    await enqueueStaleMail(database)
    await idle()
    expect(office.server.to(recipient)).toHaveLength(1)

    await database.query(taken, [recipient, '-1 second'])
    await enqueueStaleMail(database)
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
      await enqueueMail(manager, letterTo(recipient))
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await database.manager.countBy(OutgoingMail, { recipient })).toBe(0)
    expect(await jobsOf(recipient)).toEqual([])
  })

  test('but a month later it is forgotten to whom', async () => {
    const recipient = await mailed()
    await eventually(async () => expect((await mailOf(recipient)).status).toBe('sent'))
    await deleteOldMail(database)
    expect(await database.manager.countBy(OutgoingMail, { recipient })).toBe(1)
    await database.query(`UPDATE "outgoing_mail" SET "updatedAt" = now() - interval '31 days' WHERE "recipient" = $1`, [
      recipient,
    ])
    await deleteOldMail(database)
    expect(await database.manager.countBy(OutgoingMail, { recipient })).toBe(0)
  })
})
