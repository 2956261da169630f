import type { OrganizationUserInvitation } from '../../entities/index.ts'
import { isTimeZone } from '../../entities/time-zones.ts'

/** What an invitation is about, in plain text. */
export interface Invited {
  organization: string
  inviter: string
  /** Empty where nobody has told it. */
  name: string
  role: OrganizationUserInvitation['role']
  token: string
  /** Where the token is handed in. */
  door: string
  expiresAt: Date
  timezone: string
}

/** A mail in paragraphs of plain text; the token goes between the first ones and how to hand it in. */
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

export function invitationText(language: 'nl' | 'en', invited: Invited): InvitationText {
  return language === 'nl' ? dutch(invited) : english(invited)
}

function dutch({ organization, inviter, name, role, expiresAt, timezone, ...how }: Invited): InvitationText {
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

function english({ organization, inviter, name, role, expiresAt, timezone, ...how }: Invited): InvitationText {
  return {
    subject: `Invitation to ${organization}`,
    before: [
      name ? `Hello ${name},` : 'Hello,',
      `${inviter} invites you to become ${roles.en[role]} of ${organization}. This is the token of your invitation:`,
    ],
    request: [
      'Sign in to your own account, and accept the invitation with the access token of that:',
      command(how, 'ACCESS_TOKEN'),
    ],
    after: [
      `The invitation is good until ${moment('en', expiresAt, timezone)}. Whoever has the token can accept it, so keep it to yourself.`,
      'You did not expect this mail? Then there is nothing that you need to do.',
    ],
  }
}

function command({ token, door }: Pick<Invited, 'token' | 'door'>, access: string): string {
  return `curl -X POST ${door} \\
  -H 'Authorization: Bearer ${access}' \\
  -H 'Content-Type: application/json' \\
  -d '{"token":"${token}"}'`
}

/** A zone that this runtime does not know was stored by another one. */
function moment(language: string, date: Date, timezone: string): string {
  const timeZone = isTimeZone(timezone) ? timezone : 'UTC'
  const written = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone }).format(date)
  return `${written} (${timeZone})`
}
