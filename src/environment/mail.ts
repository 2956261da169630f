import { isEmail } from 'class-validator'
import type { Mailbox, MailSettings } from '../mail/mail.ts'
import type { Text } from './reading.ts'

/** Through whom mails are sent; undefined where they are kept in files. */
export function smtp(text: Text, production: boolean): MailSettings | undefined {
  const [url, from] = [text('SMTP_URL'), text('MAIL_FROM')]
  if (url && from) return { url: smtpUrl(url), from: mailbox(from) }
  if (url || from) throw new Error('SMTP_URL and MAIL_FROM are set together or not at all.')
  if (production)
    throw new Error('SMTP_URL and MAIL_FROM must be set in production: keeping mails in files is for development only.')
  return undefined
}

function smtpUrl(value: string): string {
  if (!/^smtps?:\/\//.test(value) || !URL.canParse(value) || new URL(value).hostname === '')
    throw new Error(
      'SMTP_URL must be a URL that starts with smtp:// or smtps://, such as smtp://user:password@host:587.',
    )
  return value
}

/** `ops@acme.example`, or `Acme <ops@acme.example>`, with quotes around the name or not (RFC 5322 §3.4). */
function mailbox(value: string): Mailbox {
  const [, quoted, plain = '', bracketed, address = bracketed] =
    /^(?:(?:"([^"\\]*)"|([^"<>,;@]*?))\s*<([^<>]*)>|([^<>\s]*))$/.exec(value) ?? []
  if (!isEmail(address)) throw new Error('MAIL_FROM must be a mailbox, such as Acme <no-reply@acme.example>.')
  return { name: quoted ?? plain, address }
}
