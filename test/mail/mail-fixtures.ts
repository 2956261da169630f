import { OutgoingMail } from '../../entities/index.ts'
import { enqueueMail } from '../../src/mail/outbox.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/world.ts'

const { database, organization } = await openWorld()

export const path = '/organization-user-invitations'

/** The content columns of a finished mail. */
export const clearedContent = { html: null, text: null, attachments: [] }
let count = 0

export const address = () => `mailed-${++count}@example.com`

export function mailTo(recipient: string) {
  const said = { subject: 'Hello', html: '<p>Hello</p>', text: 'Hello', attachments: [] as OutgoingMail['attachments'] }
  return { organizationId: organization.id, recipient, about: '/somewhere', ...said }
}

/** Puts a mail into the outbox, and tells to whom it is. */
export async function enqueueMailTo(values: Partial<OutgoingMail> = {}): Promise<string> {
  const recipient = address()
  await database.transaction((manager) => enqueueMail(manager, { ...mailTo(recipient), ...values }))
  return recipient
}

/** The newest mail to an address, as the outbox has it. */
export async function storedMail(recipient: string): Promise<OutgoingMail> {
  const [mail] = await database.manager.find(OutgoingMail, { where: { recipient }, order: { id: 'DESC' } })
  return mail
}

/** The jobs that have a mail to send, and whether they are put off. */
export function jobsOf(recipient: string): Promise<{ later: boolean }[]> {
  return database.query(
    `SELECT "run_at" > now() + interval '15 seconds' AS "later" FROM graphile_worker.jobs
      JOIN "outgoing_mail" "mail" ON "key" = 'mail:' || "mail"."id" WHERE "recipient" = $1`,
    [recipient],
  )
}

/** Waits until the queue has nothing to do just now. */
export function queueIdle(): Promise<void> {
  return eventually(async () => {
    const waiting = await database.query(`SELECT FROM graphile_worker.jobs WHERE "run_at" <= now()`)
    expect(waiting).toEqual([])
  })
}
