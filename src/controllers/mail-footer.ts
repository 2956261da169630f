import { type MailFooter, Organization } from '../../entities/index.ts'
import { maxFooterBytes } from '../../entities/mail-footer.ts'
import { recordWrite } from '../audit/audit-log.ts'
import { type Operation, readOperation, updateOperation } from '../hydra/index.ts'
import { sanitizeInThread } from '../mail/sanitizer-pool.ts'

const link: Operation['link'] = { name: 'mailFooter', on: Organization }

export const show: Operation<MailFooter> = {
  ...readOperation<MailFooter>(),
  path: '',
  subject: 'Organization',
  statuses: [200, 304],
  link,
} as Operation<MailFooter>

export const update: Operation<MailFooter> = {
  ...updateOperation<MailFooter>({
    async prepare(draft, { request: { share } }) {
      const { mailFooter: html } = draft
      // A footer over the limit is refused unsanitized: sanitizing might shorten it.
      if (typeof html === 'string' && Buffer.byteLength(html) <= maxFooterBytes)
        draft.mailFooter = await sanitizeInThread('mailFooter', html, share)
      return []
    },
    alsoWrite: recordWrite,
  }),
  path: '',
  subject: 'Organization',
  description:
    'The HTML is sanitized: scripts, external resources and elements that overlay the page are removed. Tables, inline ' +
    'styles and images over https stay. The HTML has at most 20 kB before and after. The response is the stored HTML.',
  link,
}
