import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport, type SendMailOptions } from 'nodemailer'
import type { Logger } from 'pino'
import { isEmailAddress } from '../../entities/email-address.ts'
import type { OutgoingMail } from '../../entities/index.ts'

/** The sender of a mail: a display name, which may be empty, and an address. */
export interface Mailbox {
  name: string
  address: string
}

/** The mail server and the sender. */
export interface MailSettings {
  /** An smtp:// or smtps:// URL, with user and password if the server needs them. */
  url: string
  from: Mailbox
}

/** Delivers mails to a mail server or a directory. */
export interface Mailer {
  /** @throws the error of the mail server, `permanent` if it will never accept this mail */
  send(mail: OutgoingMail): Promise<void>
  close(): void
}

/** Nodemailer's timeouts in milliseconds: far less than the lease of a mail (send-mail-job.ts). */
const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 }

/** Nodemailer may not load content from files or URLs: all content is in the outbox. */
const noExternalContent = { disableFileAccess: true, disableUrlAccess: true }

/** Sends mails through the configured mail server; without one, writes them to a directory. */
export function openMailer(settings: MailSettings | undefined, directory: string, log: Pick<Logger, 'info'>): Mailer {
  return settings ? smtpMailer(settings) : fileMailer(directory, log)
}

/** Sends through a mail server (RFC 5321), over pooled connections. */
function smtpMailer({ url, from }: MailSettings): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 2,
    maxRequeues: 0,
    ...timeouts,
    ...noExternalContent,
  })
  return {
    async send(mail) {
      await transport.sendMail(messageOf(mail, from))
    },
    close: () => transport.close(),
  }
}

/** Writes mails as .eml files, which any mail program opens. */
function fileMailer(directory: string, log: Pick<Logger, 'info'>): Mailer {
  const from = { name: 'Organization API', address: 'no-reply@localhost' }
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows', ...noExternalContent })
  return {
    async send(mail) {
      const { message } = await transport.sendMail(messageOf(mail, from))
      const path = join(directory, `${mail.id}.eml`)
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await writeAtomically(path, message as Buffer)
      log.info(`A mail to ${mail.recipient} is kept in ${path}`)
    },
    close: () => transport.close(),
  }
}

/** Writes to a temporary name first: a full disk leaves no truncated mail. */
async function writeAtomically(path: string, content: Buffer): Promise<void> {
  try {
    await writeFile(`${path}.new`, content, { mode: 0o600 })
    await rename(`${path}.new`, path)
  } catch (error) {
    await rm(`${path}.new`, { force: true })
    throw error
  }
}

/** Checks the address again: the mail server could misread an address that an older rule accepted. */
function recipientOf({ recipient }: OutgoingMail): string {
  if (isEmailAddress(recipient)) return recipient
  const error = new Error('The recipient is not an email address that this server sends to.')
  throw Object.assign(error, { permanent: true, code: 'EENVELOPE' })
}

/**
 * The message (RFC 5322). A mail that is sent twice keeps its Message-ID, so that mail programs recognize the duplicate.
 * Quoted-printable keeps ASCII lines readable in the raw mail, where people search for the token; base64 would hide them.
 */
function messageOf(mail: OutgoingMail, from: Mailbox) {
  const { id, createdAt, subject, html, text, attachments } = mail
  const recipient = recipientOf(mail)
  return {
    messageId: `<${id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
    date: createdAt,
    from,
    to: { name: '', address: recipient },
    envelope: { from: from.address, to: recipient },
    subject,
    encoding: 'quoted-printable',
    html: lines(html),
    text: lines(text),
    attachments: attachments.map(({ cid, name, type, content }) => ({
      cid,
      filename: name,
      contentType: type,
      contentDisposition: 'inline' as const,
      content: Buffer.from(content, 'base64'),
    })),
    headers: { 'Auto-Submitted': 'auto-generated' },
  } satisfies SendMailOptions
}

/** Ends lines with CRLF (RFC 2046 §4.1.1): nodemailer folds even short lines when they end with LF alone. */
function lines(text: string | null): string | undefined {
  return text?.replace(/\r?\n/g, '\r\n')
}
