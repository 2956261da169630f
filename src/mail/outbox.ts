import type { DataSource, EntityManager } from 'typeorm'
import { OutgoingMail } from '../../entities/index.ts'
import { readOnlyCondition } from '../../entities/organization.ts'
import { insertRow } from '../hydra/index.ts'
import { enqueue } from '../queue/enqueue.ts'
import { runAll } from '../queue/run-all.ts'

/** How many days it is remembered to whom a mail went. */
const kept = 30

/** What is taken out of a mail that need not be sent any more, as its words may open doors. */
export const emptied = `"html" = NULL, "text" = NULL, "attachments" = '[]', "updatedAt" = now()`

/** A suspended or closed organization sends nothing: its mails wait until it is open again. */
export const sendable = `"status" = 'pending' AND NOT EXISTS (SELECT FROM "organization"
  WHERE "organization"."id" = "outgoing_mail"."organizationId" AND "organization".${readOnlyCondition})`

/** A mail to be sent: for whom, what it says, and what it tells of. */
export type Letter = Pick<
  OutgoingMail,
  'organizationId' | 'recipient' | 'subject' | 'html' | 'text' | 'attachments' | 'about'
>

/** Has a mail sent once the transaction that the manager works in is committed, and never if it is not. */
export async function enqueueMail(manager: EntityManager, letter: Letter): Promise<void> {
  const mail = Object.assign(new OutgoingMail(), letter)
  await insertRow(manager, mail)
  await enqueue(manager, 'sendMail', { mail: mail.id }, { key: keyOf(mail.id) })
}

/** Withdraws the pending mails about these IRIs, because what they say does not hold any more. */
export async function withdrawMail(manager: EntityManager, ...about: string[]): Promise<void> {
  await manager.query(
    `UPDATE "outgoing_mail" SET "status" = 'withdrawn', ${emptied} WHERE "about" = ANY($1) AND "status" = 'pending'`,
    [about],
  )
}

/** Has the mails sent that are due though nobody is at them, as when the process that was has died. */
export async function enqueueStaleMail(database: Pick<DataSource, 'query'>): Promise<void> {
  const due: OutgoingMail[] = await database.query(
    `SELECT "id" FROM "outgoing_mail" WHERE ${sendable} AND "dueAt" <= now()`,
  )
  await runAll(due, ({ id }) => enqueue(database, 'sendMail', { mail: id }, { key: keyOf(id), replace: true }))
}

/** Forgets to whom mails went, long after. */
export async function deleteOldMail(database: Pick<DataSource, 'query'>): Promise<void> {
  await database.query(
    `DELETE FROM "outgoing_mail" WHERE "status" <> 'pending' AND "updatedAt" < now() - make_interval(days => ${kept})`,
  )
}

export function keyOf(id: string): string {
  return `mail:${id}`
}
