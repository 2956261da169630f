import { isEmailAddress } from '../../entities/email-address.ts'
import type { Mailbox, MailSettings } from '../mail/mailer.ts'
import { quote, quoteWithoutSecrets } from '../start/quote.ts'
import type { Variables } from './variables.ts'

/** The SMTP server and the sender of mails; undefined where mails are kept in files. */
export function readSmtp(variables: Variables): MailSettings | undefined {
  const [url, mailbox] = [variables.text('SMTP_URL'), variables.text('MAIL_FROM')]
  if (url) checkUrl(variables, url)
  const from = mailbox && parseMailbox(variables, mailbox)
  const complete = variables.allOrNone(['SMTP_URL', 'MAIL_FROM'], 'mails in files are for development only.')
  return complete && url && from ? { url, from } : undefined
}

function checkUrl(variables: Variables, url: string): void {
  if (!/^smtps?:\/\//.test(url) || !URL.canParse(url) || new URL(url).hostname === '')
    variables.addError(
      `SMTP_URL must be a URL that starts with smtp:// or smtps://, such as smtp://mail.example:587, not ${quoteWithoutSecrets(url)}.`,
    )
}

/** Reads `ops@acme.example` or `Acme <ops@acme.example>`, with or without quotes around the name (RFC 5322 §3.4). */
function parseMailbox(variables: Variables, value: string): Mailbox | undefined {
  const [, name = '', bracketed] = /^([^<>]*)<([^<>]*)>$/.exec(value) ?? []
  const address = bracketed ?? value
  const [, inQuotes] = /^"([^"\\]*)"$/.exec(name.trim()) ?? []
  if (!isEmailAddress(address) || (inQuotes === undefined && /[",;@]/.test(name)) || /\p{C}/u.test(name))
    return variables.addError(
      `MAIL_FROM must be a mailbox, such as Acme <no-reply@acme.example>, not ${value.includes('://') ? quoteWithoutSecrets(value) : quote(value)}.`,
    )
  return { name: inQuotes ?? name.trim(), address }
}
