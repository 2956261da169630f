import type { EntityManager } from 'typeorm'
import type { Organization } from '../../entities/index.ts'
import { type MailSettings, type MailText, moment, organizationMail } from './organization-mail.ts'
import { aboutItself, enqueueMail } from './outbox.ts'
import { ownerAddresses } from './owner-addresses.ts'

/** Enqueues a mail to each owner in the manager's transaction: an owner has closed the organization. */
export async function enqueueClosingMails(manager: EntityManager, closed: Organization): Promise<void> {
  const mail = await organizationMail(manager, closed, (settings) => text(settings, closed.deleteAt as Date))
  for (const recipient of await ownerAddresses(manager, closed.id))
    await enqueueMail(manager, { ...mail, recipient, about: aboutItself(closed.id) })
}

function text(settings: MailSettings, deleteAt: Date): MailText {
  const { language, organization } = settings
  const until = moment(settings, deleteAt)
  if (language === 'nl')
    return {
      subject: `${organization} is gesloten`,
      blocks: [
        'Hallo,',
        `Een eigenaar heeft ${organization} gesloten. Alle gegevens worden verwijderd op ${until}.`,
        'Tot dan kan elke eigenaar alles exporteren, of de organisatie heropenen:',
        { command: 'POST /organizations/reopen' },
        'Heeft geen van jullie hierom gevraagd? Kijk dan in het auditlog wie dat wel deed.',
      ],
    }
  return {
    subject: `${organization} is closed`,
    blocks: [
      'Hello,',
      `An owner has closed ${organization}. All of its data is deleted on ${until}.`,
      'Until then every owner can export everything, or reopen the organization:',
      { command: 'POST /organizations/reopen' },
      'If none of you asked for it, the audit log says who did.',
    ],
  }
}
