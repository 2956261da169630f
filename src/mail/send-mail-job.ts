import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { OutgoingMail } from '../../entities/index.ts'
import { enqueue } from '../queue/enqueue.ts'
import type { Mailer } from './mailer.ts'
import { clearedContent, mailJobKey, sendableCondition } from './outbox.ts'

/** A mail that fails this often is marked `failed` and not retried. */
const maxAttempts = 10

/** While the lease lasts, no other process sends the mail. After a crash it simply expires. */
const leaseSeconds = 120

/** The error of a mail server, or of the connection to it. */
interface MailError {
  code?: string
  permanent?: boolean
  message: string
}

/**
 * Sends a mail of the outbox: leases it, sends it and marks it sent, without an open transaction. After a crash between the last
 * two steps the mail is sent again, with the same Message-ID.
 */
export function sendMail(database: DataSource, mailer: Mailer, log: Pick<Logger, 'warn' | 'error'>) {
  return async ({ mail: id }: { mail: string }): Promise<void> => {
    const mail = await lease(database, id)
    if (!mail) return
    try {
      await mailer.send(mail)
    } catch (error) {
      return retryOrFail(database, mail, error as MailError, log)
    }
    await database.query(
      `UPDATE "outgoing_mail" SET "status" = 'sent', "sentAt" = now(), "error" = NULL, ${clearedContent} WHERE "id" = $1`,
      [id],
    )
  }
}

/** Returns the mail if it is due, and leases it. The extra millisecond covers the precision of the stored `dueAt`. */
async function lease(database: DataSource, id: string): Promise<OutgoingMail | undefined> {
  const [rows] = await database.query(
    `UPDATE "outgoing_mail" SET "attempts" = "attempts" + 1, "dueAt" = now() + make_interval(secs => ${leaseSeconds}), "updatedAt" = now()
      WHERE "id" = $1 AND ${sendableCondition} AND "dueAt" <= now() + interval '1 millisecond' RETURNING *`,
    [id],
  )
  return rows[0] && Object.assign(new OutgoingMail(), rows[0])
}

/** Schedules a retry. After too many attempts or a permanent refusal it marks the mail `failed`. */
async function retryOrFail(
  database: DataSource,
  { id, attempts }: OutgoingMail,
  { code, permanent, message }: MailError,
  log: Pick<Logger, 'warn' | 'error'>,
): Promise<void> {
  const isPermanent = permanent === true && (code === 'EENVELOPE' || code === 'EMESSAGE')
  const error = message.slice(0, 1000)
  if (isPermanent || attempts >= maxAttempts) {
    log.error({ mail: id, attempts, code, error }, 'could not send mail; giving up')
    await database.query(
      `UPDATE "outgoing_mail" SET "status" = 'failed', "error" = $2, ${clearedContent} WHERE "id" = $1 AND "status" = 'pending'`,
      [id, error],
    )
    return
  }
  log.warn({ mail: id, attempts, code, error }, 'could not send mail; retrying later')
  const after = backoffSeconds(attempts)
  await database.transaction(async (manager) => {
    await manager.query(
      `UPDATE "outgoing_mail" SET "error" = $2, "dueAt" = now() + make_interval(secs => $3), "updatedAt" = now()
        WHERE "id" = $1 AND "status" = 'pending'`,
      [id, error, after],
    )
    await enqueue(manager, 'sendMail', { mail: id }, { after: after + 1, key: mailJobKey(id) })
  })
}

/** Doubles with each attempt, which covers four hours without a mail server; a random factor spreads the retries. */
function backoffSeconds(attempts: number): number {
  return 15 * 2 ** attempts * (0.75 + Math.random() / 2)
}
