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
    async prepare(draft, { share }) {
      const { mailFooter: html } = draft
      // A footer that is too long is refused as it came: cleaning might shorten it.
      if (typeof html === 'string' && Buffer.byteLength(html) <= maxFooterBytes)
        draft.mailFooter = await sanitizeInThread('mailFooter', html, share)
      return []
    },
    alsoWrite: recordWrite,
  }),
  path: '',
  subject: 'Organization',
  description:
    'The HTML is cleaned of whatever runs, loads or lies upon its surroundings; tables, inline styles and images over ' +
    'https stay. It has at most 20 kB before and after that; the answer is what is kept.',
  link,
}
