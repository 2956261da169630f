import type { EntityManager } from 'typeorm'
import { Organization, type OrganizationExport } from '../../entities/index.ts'
import { type MailSettings, type MailText, moment, organizationMail } from './organization-mail.ts'
import { enqueueMail } from './outbox.ts'
import { ownerAddresses } from './owner-addresses.ts'

/** Where people find the archive: on a page of this server, or at its address alone. */
interface Place {
  publicUrl: string
  hasPages: boolean
}

/** Enqueues a mail to each owner in the manager's transaction: the archive is ready. */
export async function enqueueExportMails(
  manager: EntityManager,
  made: OrganizationExport,
  { publicUrl, hasPages }: Place,
): Promise<void> {
  const { organizationId, id, archive, expiresAt } = made
  const about = `/organization-exports/${id}`
  const link = publicUrl + (hasPages ? about : archive)
  const organization = await manager.findOneByOrFail(Organization, { id: organizationId })
  const mail = await organizationMail(manager, organization, (settings) => text(settings, link, expiresAt as Date))
  for (const recipient of await ownerAddresses(manager, organizationId))
    await enqueueMail(manager, { ...mail, recipient, about })
}

function text(settings: MailSettings, link: string, expiresAt: Date): MailText {
  const { language, organization } = settings
  const until = moment(settings, expiresAt)
  if (language === 'nl')
    return {
      subject: `Export van ${organization} is klaar`,
      blocks: [
        'Hallo,',
        `Het archief met alle gegevens van ${organization} is klaar. Alleen eigenaren kunnen het downloaden:`,
        { link },
        `Het wordt verwijderd op ${until}.`,
        'Heeft geen van jullie hierom gevraagd? Kijk dan in het auditlog wie dat wel deed.',
      ],
    }
  return {
    subject: `The export of ${organization} is ready`,
    blocks: [
      'Hello,',
      `The archive with all data of ${organization} is ready. Only owners can download it:`,
      { link },
      `It is deleted on ${until}.`,
      'If none of you asked for it, the audit log says who did.',
    ],
  }
}
