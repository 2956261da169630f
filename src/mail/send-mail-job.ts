import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { OutgoingMail } from '../../entities/index.ts'
import { enqueue } from '../queue/enqueue.ts'
import type { Mailer } from './mailer.ts'
import { emptied, keyOf, sendable } from './outbox.ts'

/** After how many attempts a mail is put aside. */
const patience = 10

/** For how many seconds a mail is left to whoever took it; a process that died with it has lost it after that. */
const lease = 120

/** What a mail server says, or the lack of one. */
interface Refusal {
  code?: string
  permanent?: boolean
  message: string
}

/**
 * Sends a mail of the outbox. It is taken for a while, sent, and marked, with no transaction open meanwhile: a process that
 * dies between the last two has it sent once more, under the same Message-ID.
 */
export function sendMail(database: DataSource, mailer: Mailer, log: Pick<Logger, 'warn' | 'error'>) {
  return async ({ mail: id }: { mail: string }): Promise<void> => {
    const mail = await take(database, id)
    if (!mail) return
    try {
      await mailer.send(mail)
    } catch (error) {
      return putOff(database, mail, error as Refusal, log)
    }
    await database.query(
      `UPDATE "outgoing_mail" SET "status" = 'sent', "sentAt" = now(), "error" = NULL, ${emptied} WHERE "id" = $1`,
      [id],
    )
  }
}

/** The mail, if it is due, to the millisecond that is kept of that; nobody else takes it until the lease is over. */
async function take(database: DataSource, id: string): Promise<OutgoingMail | undefined> {
  const [rows] = await database.query(
    `UPDATE "outgoing_mail" SET "attempts" = "attempts" + 1, "dueAt" = now() + make_interval(secs => ${lease}), "updatedAt" = now()
      WHERE "id" = $1 AND ${sendable} AND "dueAt" <= now() + interval '1 millisecond' RETURNING *`,
    [id],
  )
  return rows[0] && Object.assign(new OutgoingMail(), rows[0])
}

/** Has it tried again later, or puts it aside: after too many attempts, or where the server will never take it. */
async function putOff(
  database: DataSource,
  { id, attempts }: OutgoingMail,
  { code, permanent, message }: Refusal,
  log: Pick<Logger, 'warn' | 'error'>,
): Promise<void> {
  const refused = permanent === true && (code === 'EENVELOPE' || code === 'EMESSAGE')
  const error = message.slice(0, 1000)
  if (refused || attempts >= patience) {
    log.error({ mail: id, attempts, code, error }, 'a mail could not be sent, and is put aside')
    await database.query(
      `UPDATE "outgoing_mail" SET "status" = 'failed', "error" = $2, ${emptied} WHERE "id" = $1 AND "status" = 'pending'`,
      [id, error],
    )
    return
  }
  log.warn({ mail: id, attempts, code, error }, 'a mail could not be sent, and is tried again')
  const after = backoff(attempts)
  await database.transaction(async (manager) => {
    await manager.query(
      `UPDATE "outgoing_mail" SET "error" = $2, "dueAt" = now() + make_interval(secs => $3), "updatedAt" = now()
        WHERE "id" = $1 AND "status" = 'pending'`,
      [id, error, after],
    )
    await enqueue(manager, 'sendMail', { mail: id }, { after: after + 1, key: keyOf(id) })
  })
}

/** Seconds until the next attempt: twice as many each time, so that four hours without a mail server are borne, and never the same for all. */
function backoff(attempts: number): number {
  return 15 * 2 ** attempts * (0.75 + Math.random() / 2)
}
