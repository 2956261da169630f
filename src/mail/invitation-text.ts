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
  expiresAt: Date
  timezone: string
}

/** A mail in paragraphs of plain text. The token stands between `before` and `request`. */
export interface InvitationText {
  subject: string
  before: string[]
  request: [introduction: string, command: string]
  after: string[]
}

const roles = {
  nl: { member: 'lid', admin: 'beheerder', owner: 'eigenaar' },
  en: { member: 'a member', admin: 'an admin', owner: 'an owner' },
}

export function invitationText(language: 'nl' | 'en', invited: InvitationDetails): InvitationText {
  return language === 'nl' ? dutch(invited) : english(invited)
}

function dutch({ organization, inviter, name, role, expiresAt, timezone, ...how }: InvitationDetails): InvitationText {
  return {
    subject: `Uitnodiging voor ${organization}`,
    before: [
      name ? `Hallo ${name},` : 'Hallo,',
      `${inviter} nodigt je uit om ${roles.nl[role]} te worden van ${organization}. Dit is het token van je uitnodiging:`,
    ],
    request: [
      'Meld je aan bij je eigen account, en neem de uitnodiging aan met het toegangstoken daarvan:',
      command(how, 'TOEGANGSTOKEN'),
    ],
    after: [
      `De uitnodiging geldt tot ${moment('nl', expiresAt, timezone)}. Wie het token heeft kan haar aannemen, dus houd het voor jezelf.`,
      'Verwachtte je deze mail niet? Dan hoef je niets te doen.',
    ],
  }
}

function english({
  organization,
  inviter,
  name,
  role,
  expiresAt,
  timezone,
  ...how
}: InvitationDetails): InvitationText {
  return {
    subject: `Invitation to ${organization}`,
    before: [
      name ? `Hello ${name},` : 'Hello,',
      `${inviter} invites you to become ${roles.en[role]} of ${organization}. This is the token of your invitation:`,
    ],
    request: [
      'Sign in to your account, and accept the invitation with its access token:',
      command(how, 'ACCESS_TOKEN'),
    ],
    after: [
      `The invitation expires on ${moment('en', expiresAt, timezone)}. Anyone with the token can accept it, so keep it to yourself.`,
      'If you did not expect this mail, you can ignore it.',
    ],
  }
}

function command({ token, acceptUrl }: Pick<InvitationDetails, 'token' | 'acceptUrl'>, access: string): string {
  return `curl -X POST ${acceptUrl} \\
  -H 'Authorization: Bearer ${access}' \\
  -H 'Content-Type: application/json' \\
  -d '{"token":"${token}"}'`
}

/** Falls back to UTC: another runtime may have stored a zone that this one does not know. */
function moment(language: string, date: Date, timezone: string): string {
  const timeZone = isTimeZone(timezone) ? timezone : 'UTC'
  const written = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone }).format(date)
  return `${written} (${timeZone})`
}
