import type { DataSource, EntityManager } from 'typeorm'
import { OutgoingMail } from '../../entities/index.ts'
import { readOnlyCondition } from '../../entities/organization.ts'
import { insertRow } from '../hydra/index.ts'
import { enqueue } from '../queue/enqueue.ts'
import { runAll } from '../queue/run-all.ts'

/** How long the recipient of a finished mail is stored. */
const retentionDays = 30

/** SQL that removes the content of a finished mail: it may contain a token. */
export const clearedContent = `"html" = NULL, "text" = NULL, "attachments" = '[]', "updatedAt" = now()`

/** The subject of a mail about an organization itself, which is sent while it is closed, too. */
export function aboutItself(organizationId: string): string {
  return `/organizations/${organizationId}`
}

/** SQL: a suspended or closed organization sends mails about itself only; others stay pending until it is open again. */
export const sendableCondition = `"status" = 'pending' AND NOT EXISTS (SELECT FROM "organization"
  WHERE "organization"."id" = "outgoing_mail"."organizationId" AND "organization".${readOnlyCondition}
    AND "outgoing_mail"."about" <> '/organizations/' || "organization"."id")`

/** A mail to send. `about` is the IRI of the resource that it is about. */
export type MailDraft = Pick<
  OutgoingMail,
  'organizationId' | 'recipient' | 'subject' | 'html' | 'text' | 'attachments' | 'about'
>

/** Enqueues a mail in the manager's transaction: it is sent after the commit, and never after a rollback. */
export async function enqueueMail(manager: EntityManager, draft: MailDraft): Promise<void> {
  const mail = Object.assign(new OutgoingMail(), draft)
  await insertRow(manager, mail)
  await enqueue(manager, 'sendMail', { mail: mail.id }, { key: mailJobKey(mail.id) })
}

/** Withdraws the pending mails about these IRIs: their content is outdated. */
export async function withdrawMail(manager: EntityManager, ...about: string[]): Promise<void> {
  await manager.query(
    `UPDATE "outgoing_mail" SET "status" = 'withdrawn', ${clearedContent} WHERE "about" = ANY($1) AND "status" = 'pending'`,
    [about],
  )
}

/** Re-enqueues due mails without a live job, for example after a crash. */
export async function enqueueStaleMail(database: Pick<DataSource, 'query'>): Promise<void> {
  const due: OutgoingMail[] = await database.query(
    `SELECT "id" FROM "outgoing_mail" WHERE ${sendableCondition} AND "dueAt" <= now()`,
  )
  await runAll(due, ({ id }) => enqueue(database, 'sendMail', { mail: id }, { key: mailJobKey(id), replace: true }))
}

/** Deletes finished mails after 30 days. */
export async function deleteOldMail(database: Pick<DataSource, 'query'>): Promise<void> {
  await database.query(
    `DELETE FROM "outgoing_mail" WHERE "status" <> 'pending' AND "updatedAt" < now() - make_interval(days => ${retentionDays})`,
  )
}

export function mailJobKey(id: string): string {
  return `mail:${id}`
}
