import { type MailFooter, Organization } from '../../entities/index.ts'
import { longest } from '../../entities/mail-footer.ts'
import { read, updating } from '../hydra/crud.ts'
import type { Link, Operation } from '../hydra/operation.ts'
import { writeDown } from './audit.ts'
import { cleanHtml } from './clean-html.ts'

const link: Link<Organization> = { name: 'mailFooter', on: Organization }

export const show: Operation<MailFooter> = {
  ...read,
  path: '',
  subject: 'Organization',
  statuses: [200, 304],
  link,
} as Operation<MailFooter>

export const update: Operation<MailFooter> = {
  ...updating<MailFooter>({
    prepare(draft) {
      const { mailFooter: html } = draft
      // What is too long is refused as it came: cleaning might shorten it.
      if (typeof html === 'string' && Buffer.byteLength(html) <= longest) draft.mailFooter = cleanHtml(html)
      return []
    },
    along: writeDown,
  }),
  path: '',
  subject: 'Organization',
  description:
    'The HTML is cleaned of whatever runs, loads or lies upon its surroundings; tables, inline styles and images over ' +
    'https stay. It has at most 20 kB before and after that; the answer is what is kept.',
  link,
}
