import { type EntityManager, In } from 'typeorm'
import { MailFooter, type Organization, OrganizationConfig } from '../../entities/index.ts'
import { isTimeZone } from '../../entities/time-zones.ts'
import { logoOf } from './logo.ts'
import type { MailDraft } from './outbox.ts'

/** One block of a mail: a paragraph, a link, a token or a command. */
export type MailBlock = string | { link: string } | { token: string } | { command: string }

/** A mail in plain text. */
export interface MailText {
  subject: string
  blocks: MailBlock[]
}

/** The values that the text of each mail depends on. */
export interface MailSettings {
  language: 'nl' | 'en'
  timezone: string
  /** The name of the organization on one line. */
  organization: string
}

const cid = 'logo'

/** A mail of an organization, in its language, with its logo and mail footer. */
export async function organizationMail(
  manager: EntityManager,
  organization: Organization,
  write: (settings: MailSettings) => MailText,
): Promise<Omit<MailDraft, 'recipient' | 'about'>> {
  const { id: organizationId } = organization
  const settings = { ...(await settingsOf(manager, organizationId)), organization: plain(organization.name) }
  const { mailFooter } = await manager.findOneByOrFail(MailFooter, { organizationId })
  const logo = await logoOf(manager, organization)
  const { subject, blocks } = write(settings)
  return {
    organizationId,
    subject,
    text: [...blocks.map(plainBlock), ...(mailFooter ? [`-- \n${await textOf(mailFooter)}`] : [])].join('\n\n'),
    html: [
      `<!DOCTYPE html><html lang="${settings.language}"><head><meta charset="utf-8"><title>${escaped(subject)}</title></head><body>`,
      logo
        ? `<p><img src="cid:${cid}" alt="${escaped(settings.organization)}" style="max-height:80px;max-width:320px"></p>`
        : '',
      ...blocks.map(htmlBlock),
      mailFooter ? `<hr>${mailFooter}` : '',
      '</body></html>',
    ].join('\n'),
    attachments: logo ? [{ cid, name: cid, type: logo.type, content: logo.bytes.toString('base64') }] : [],
  }
}

/** A moment for people. It is in UTC where this runtime does not know the stored zone. */
export function moment({ language, timezone }: Pick<MailSettings, 'language' | 'timezone'>, date: Date): string {
  const timeZone = isTimeZone(timezone) ? timezone : 'UTC'
  const written = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone }).format(date)
  return `${written} (${timeZone})`
}

async function settingsOf(manager: EntityManager, organizationId: string) {
  const found = await manager.findBy(OrganizationConfig, { organizationId, key: In(['language', 'timezone']) })
  const { language, timezone } = Object.fromEntries(found.map(({ key, value }) => [key, `${value}`]))
  return { language: /^nl\b/i.test(language) ? ('nl' as const) : ('en' as const), timezone }
}

/** A name on one line without control characters. Joiners stay: emoji and Persian words need them. */
export function plain(text: string): string {
  return text.replace(/(?:(?![\u200c\u200d])[\s\p{C}])+/gu, ' ').trim()
}

function plainBlock(block: MailBlock): string {
  return typeof block === 'string' ? block : Object.values(block)[0]
}

function htmlBlock(block: MailBlock): string {
  if (typeof block === 'string') return `<p>${escaped(block)}</p>`
  if ('link' in block) return `<p><a href="${escaped(block.link)}">${escaped(block.link)}</a></p>`
  if ('token' in block) return `<p><code style="font-size:1.2em">${block.token}</code></p>`
  return `<pre style="white-space:pre-wrap">${escaped(block.command)}</pre>`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character])
}

/** The footer as plain text, for mail programs without HTML. */
async function textOf(html: string): Promise<string> {
  // Few processes send mails, and the module needs 10 MB and as much time as Express to load.
  const { default: sanitize } = await import('sanitize-html')
  const lines = html.replace(/<(br|\/p|\/div|\/h\d|\/li|\/tr)\b[^<>]*>/gi, '\n')
  const bare = sanitize(lines, { allowedTags: [], allowedAttributes: {} })
  const known = new Map(Object.entries(entities).map(([character, entity]) => [entity, character]))
  return bare
    .replace(/&(amp|lt|gt|quot);/g, (entity) => known.get(entity) as string)
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n\s*/g, '\n')
    .trim()
}
