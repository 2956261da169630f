import type { OrganizationUserInvitation } from '../../entities/index.ts'
import { isTimeZone } from '../../entities/time-zones.ts'

/** The values that the text of an invitation contains, in plain text. */
export interface InvitationDetails {
  organization: string
  inviter: string
  /** Empty when the inviter gave no name. */
  name: string
  role: OrganizationUserInvitation['role']
  token: string
  /** The URL that accepts the token. */
  acceptUrl: string
  /** The page on which a person accepts; undefined where this server has no pages. */
  pageUrl: string | undefined
  expiresAt: Date
  timezone: string
}

/** One block of a mail: a paragraph, a link, a token or a command. */
export type MailBlock = string | { link: string } | { token: string } | { command: string }

/** A mail of an invitation in plain text. */
export interface InvitationText {
  subject: string
  blocks: MailBlock[]
}

const roles = {
  nl: { member: 'lid', admin: 'beheerder', owner: 'eigenaar' },
  en: { member: 'a member', admin: 'an admin', owner: 'an owner' },
}

export function invitationText(language: 'nl' | 'en', invited: InvitationDetails): InvitationText {
  return language === 'nl' ? dutch(invited) : english(invited)
}

function dutch({ organization, inviter, name, role, ...details }: InvitationDetails): InvitationText {
  const { token, pageUrl, expiresAt, timezone } = details
  const sentence = `${inviter} nodigt je uit om ${roles.nl[role]} te worden van ${organization}.`
  const request = [
    'Meld je aan bij je eigen account, en neem de uitnodiging aan met het toegangstoken daarvan:',
    command(details, 'TOEGANGSTOKEN'),
  ]
  const end = [
    `De uitnodiging geldt tot ${moment('nl', expiresAt, timezone)}. Wie het token heeft kan haar aannemen, dus houd het voor jezelf.`,
    'Verwachtte je deze mail niet? Dan hoef je niets te doen.',
  ]
  return {
    subject: `Uitnodiging voor ${organization}`,
    blocks: [
      name ? `Hallo ${name},` : 'Hallo,',
      ...(pageUrl
        ? [
            `${sentence} Open deze pagina om in te loggen en de uitnodiging aan te nemen:`,
            { link: pageUrl },
            ...end,
            'Programma’s gebruiken het token van je uitnodiging:',
            { token },
            ...request,
          ]
        : [`${sentence} Dit is het token van je uitnodiging:`, { token }, ...request, ...end]),
    ],
  }
}

function english({ organization, inviter, name, role, ...details }: InvitationDetails): InvitationText {
  const { token, pageUrl, expiresAt, timezone } = details
  const sentence = `${inviter} invites you to become ${roles.en[role]} of ${organization}.`
  const request = [
    'Sign in to your account, and accept the invitation with its access token:',
    command(details, 'ACCESS_TOKEN'),
  ]
  const end = [
    `The invitation expires on ${moment('en', expiresAt, timezone)}. Anyone with the token can accept it, so keep it to yourself.`,
    'If you did not expect this mail, you can ignore it.',
  ]
  return {
    subject: `Invitation to ${organization}`,
    blocks: [
      name ? `Hello ${name},` : 'Hello,',
      ...(pageUrl
        ? [
            `${sentence} Open this page to sign in and accept the invitation:`,
            { link: pageUrl },
            ...end,
            'Programs use the token of your invitation:',
            { token },
            ...request,
          ]
        : [`${sentence} This is the token of your invitation:`, { token }, ...request, ...end]),
    ],
  }
}

function command({ token, acceptUrl }: Pick<InvitationDetails, 'token' | 'acceptUrl'>, access: string): MailBlock {
  const command = `curl -X POST ${acceptUrl} \\
  -H 'Authorization: Bearer ${access}' \\
  -H 'Content-Type: application/json' \\
  -d '{"token":"${token}"}'`
  return { command }
}

/** Falls back to UTC: another runtime may have stored a zone that this one does not know. */
function moment(language: string, date: Date, timezone: string): string {
  const timeZone = isTimeZone(timezone) ? timezone : 'UTC'
  const written = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone }).format(date)
  return `${written} (${timeZone})`
}
