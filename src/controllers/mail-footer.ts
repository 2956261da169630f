import sanitize from 'sanitize-html'
import type { MailFooter } from '../../entities/index.ts'
import { Organization } from '../../entities/index.ts'
import { read, updating } from '../hydra/crud.ts'
import type { Link, Operation } from '../hydra/operation.ts'

const link: Link<Organization> = { name: 'mailFooter', on: Organization }

const words = (text: string) => text.trim().split(/\s+/)

/** A value of a style that names no resource and calls nothing but colours. */
const harmless = [/^(?!.*(?:url|expression|import|javascript|behavior|@|\\))[\w\s#%.,()'"!+/-]{1,200}$/i]
const styles = words(`
  background background-color border border-bottom border-collapse border-color border-left border-radius border-right
  border-spacing border-style border-top border-width color display font font-family font-size font-style font-weight
  height letter-spacing line-height list-style-type margin margin-bottom margin-left margin-right margin-top max-width
  min-width padding padding-bottom padding-left padding-right padding-top text-align text-decoration text-transform
  vertical-align white-space width word-break
`)

/** What a mail client can show and nothing that runs: tables, inline styles, images over https. */
const whitelist: sanitize.IOptions = {
  allowedTags: words(`
    a abbr address b blockquote br center code col colgroup div em font h1 h2 h3 h4 h5 h6 hr i img li ol p pre s small
    span strong sub sup table tbody td tfoot th thead tr u ul
  `),
  allowedAttributes: {
    '*': ['align', 'bgcolor', 'class', 'dir', 'height', 'lang', 'style', 'title', 'valign', 'width'],
    a: ['href', 'name', 'rel', 'target'],
    font: ['color', 'face', 'size'],
    img: ['alt', 'src'],
    table: ['border', 'cellpadding', 'cellspacing', 'role'],
    td: ['colspan', 'rowspan'],
    th: ['colspan', 'rowspan', 'scope'],
  },
  allowedStyles: { '*': Object.fromEntries(styles.map((style) => [style, harmless])) },
  allowedSchemes: ['https', 'http', 'mailto', 'tel'],
  allowedSchemesByTag: { img: ['https'] },
  allowProtocolRelative: false,
  transformTags: { img: absoluteImage },
}

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
      if (typeof draft.mailFooter === 'string') draft.mailFooter = sanitize(draft.mailFooter, whitelist)
      return []
    },
  }),
  path: '',
  subject: 'Organization',
  description: 'The HTML is cleaned of whatever runs or loads; the answer is what is kept.',
  link,
}

/** A mail has no address that a relative image could be found from. */
function absoluteImage(tagName: string, { src, ...attribs }: sanitize.Attributes): sanitize.Tag {
  return { tagName, attribs: src?.startsWith('https://') ? { src, ...attribs } : attribs }
}
