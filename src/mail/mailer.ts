import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport, type SendMailOptions } from 'nodemailer'
import type { Logger } from 'pino'
import { isEmailAddress } from '../../entities/email-address.ts'
import type { OutgoingMail } from '../../entities/index.ts'

/** Whom a mail is from: a name to read, which may be empty, and an address. */
export interface Mailbox {
  name: string
  address: string
}

/** Where mails are handed over, and whom they are from. */
export interface MailSettings {
  /** smtp:// or smtps://, with user and password where they are needed. */
  url: string
  from: Mailbox
}

/** Hands mails over to whoever delivers them. */
export interface Mailer {
  /** @throws the error of the mail server; `permanent` where it will never take this mail */
  send(mail: OutgoingMail): Promise<void>
  close(): void
}

const second = 1000

/** What an unresponsive server may take; far less than a mail is left to whoever is at it. */
const patience = { connectionTimeout: 10 * second, greetingTimeout: 10 * second, socketTimeout: 30 * second }

/** What a mail says is all in it: nothing is fetched for it from a disk or from elsewhere. */
const closed = { disableFileAccess: true, disableUrlAccess: true }

/** Sends mails where a mail server is named, and else keeps them in a folder. */
export function openMailer(settings: MailSettings | undefined, directory: string, log: Pick<Logger, 'info'>): Mailer {
  return settings ? smtpMailer(settings) : keepingMailer(directory, log)
}

/** Sends through a mail server (RFC 5321), over connections that are kept for the next mail. */
function smtpMailer({ url, from }: MailSettings): Mailer {
  const transport = createTransport({ url, pool: true, maxConnections: 2, maxRequeues: 0, ...patience, ...closed })
  return {
    async send(mail) {
      await transport.sendMail(messageOf(mail, from))
    },
    close: () => transport.close(),
  }
}

/** Keeps mails as files that any mail program opens, where there is no mail server. */
function keepingMailer(directory: string, log: Pick<Logger, 'info'>): Mailer {
  const from = { name: 'Organization API', address: 'no-reply@localhost' }
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows', ...closed })
  return {
    async send(mail) {
      const { message } = await transport.sendMail(messageOf(mail, from))
      const path = join(directory, `${mail.id}.eml`)
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await writeWhole(path, message as Buffer)
      log.info(`A mail to ${mail.recipient} is kept in ${path}`)
    },
    close: () => transport.close(),
  }
}

/** A file that a full disk cuts short is none. */
async function writeWhole(path: string, content: Buffer): Promise<void> {
  try {
    await writeFile(`${path}.new`, content, { mode: 0o600 })
    await rename(`${path}.new`, path)
  } catch (error) {
    await rm(`${path}.new`, { force: true })
    throw error
  }
}

/** An address that was stored under an older rule could be read as another one by the mail server. */
function recipientOf({ recipient }: OutgoingMail): string {
  if (isEmailAddress(recipient)) return recipient
  const refusal = new Error('The address of the recipient is not an email address that this server sends to.')
  throw Object.assign(refusal, { permanent: true, code: 'EENVELOPE' })
}

/**
 * The mail as it goes out (RFC 5322). A mail that is sent twice keeps its Message-ID, so that mail programs recognise it.
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

/** Ends lines with CRLF (RFC 2046 §4.1.1): nodemailer folds short lines, too, when they end with LF alone. */
function lines(text: string | null): string | undefined {
  return text?.replace(/\r?\n/g, '\r\n')
}
