import { type EntityManager, In } from 'typeorm'
import {
  MailFooter,
  type Organization,
  OrganizationConfig,
  type OrganizationUserInvitation,
  User,
} from '../../entities/index.ts'
import { invitationIri, invitationPath } from '../invitations/invitation-iri.ts'
import { type InvitationDetails, invitationText, type MailBlock } from './invitation-text.ts'
import { logoOf } from './logo.ts'
import type { MailDraft } from './outbox.ts'

/** The parts of the mail that the invitation's row does not hold. */
export interface InvitationLink {
  token: string
  /** The URL of this server. */
  publicUrl: string
  /** Whether this server has a page on which people accept invitations. */
  hasPage: boolean
}

const cid = 'logo'

/**
 * The mail of an invitation, in the organization's language, with its logo and mail footer. It links to the page that accepts it, if
 * there is one, and contains the token and the request that accepts it.
 */
export async function invitationMail(
  manager: EntityManager,
  invitation: OrganizationUserInvitation,
  organization: Organization,
  { token, publicUrl, hasPage }: InvitationLink,
): Promise<MailDraft> {
  const { id, organizationId, email, name, role, expiresAt, invitedById } = invitation
  const { language, timezone } = await settingsOf(manager, organizationId)
  const inviter = await manager.findOneByOrFail(User, { id: invitedById })
  const { mailFooter } = await manager.findOneByOrFail(MailFooter, { organizationId })
  const logo = await logoOf(manager, organization)
  const acceptUrl = `${publicUrl}/organization-user-invitations/accept`
  const plainDetails = {
    organization: plain(organization.name),
    inviter: plain(inviter.name),
    name: plain(name ?? ''),
    role,
  }
  const pageUrl = hasPage ? `${publicUrl}${invitationPath}?token=${token}` : undefined
  const invited: InvitationDetails = { ...plainDetails, token, acceptUrl, pageUrl, expiresAt, timezone }
  const { subject, blocks } = invitationText(language, invited)
  return {
    organizationId,
    recipient: email,
    subject,
    text: [...blocks.map(plainBlock), ...(mailFooter ? [`-- \n${await textOf(mailFooter)}`] : [])].join('\n\n'),
    html: [
      `<!DOCTYPE html><html lang="${language}"><head><meta charset="utf-8"><title>${escaped(subject)}</title></head><body>`,
      logo
        ? `<p><img src="cid:${cid}" alt="${escaped(plainDetails.organization)}" style="max-height:80px;max-width:320px"></p>`
        : '',
      ...blocks.map(htmlBlock),
      mailFooter ? `<hr>${mailFooter}` : '',
      '</body></html>',
    ].join('\n'),
    attachments: logo ? [{ cid, name: cid, type: logo.type, content: logo.bytes.toString('base64') }] : [],
    about: invitationIri({ id }),
  }
}

async function settingsOf(manager: EntityManager, organizationId: string) {
  const found = await manager.findBy(OrganizationConfig, { organizationId, key: In(['language', 'timezone']) })
  const { language, timezone } = Object.fromEntries(found.map(({ key, value }) => [key, `${value}`]))
  return { language: /^nl\b/i.test(language) ? ('nl' as const) : ('en' as const), timezone }
}

/** A name on one line without control characters. Joiners stay: emoji and Persian words need them. */
function plain(text: string): string {
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
