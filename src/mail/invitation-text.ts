import type { OrganizationUserInvitation } from '../../entities/index.ts'
import { rolePhrases } from '../invitations/role-phrases.ts'
import { type MailBlock, type MailSettings, type MailText, moment } from './organization-mail.ts'

/** The values that the text of an invitation contains, in plain text. */
export interface InvitationDetails {
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
}

interface MailWords {
  subject(organization: string): string
  greeting(name: string): string
  invites(inviter: string, role: string, organization: string): string
  openPage: string
  thisToken: string
  programs: string
  request: string
  /** Stands for the access token in the request. */
  accessToken: string
  validUntil(moment: string): string
  unexpected: string
}

const mailWords: Record<'nl' | 'en', MailWords> = {
  nl: {
    subject: (organization) => `Uitnodiging voor ${organization}`,
    greeting: (name) => (name ? `Hallo ${name},` : 'Hallo,'),
    invites: (inviter, role, organization) => `${inviter} nodigt je uit om ${role} te worden van ${organization}.`,
    openPage: 'Open deze pagina om in te loggen en de uitnodiging te aanvaarden:',
    thisToken: 'Dit is het token van je uitnodiging:',
    programs: 'Programma’s gebruiken het token van je uitnodiging:',
    request: 'Log in met je eigen account, en aanvaard de uitnodiging met het toegangstoken daarvan:',
    accessToken: 'TOEGANGSTOKEN',
    validUntil: (moment) =>
      `De uitnodiging geldt tot ${moment}. Wie het token heeft kan haar aanvaarden, dus houd het voor jezelf.`,
    unexpected: 'Verwachtte je deze mail niet? Dan hoef je niets te doen.',
  },
  en: {
    subject: (organization) => `Invitation to ${organization}`,
    greeting: (name) => (name ? `Hello ${name},` : 'Hello,'),
    invites: (inviter, role, organization) => `${inviter} invites you to become ${role} of ${organization}.`,
    openPage: 'Open this page to sign in and accept the invitation:',
    thisToken: 'This is the token of your invitation:',
    programs: 'Programs use the token of your invitation:',
    request: 'Sign in to your account, and accept the invitation with its access token:',
    accessToken: 'ACCESS_TOKEN',
    validUntil: (moment) =>
      `The invitation expires on ${moment}. Anyone with the token can accept it, so keep it to yourself.`,
    unexpected: 'If you did not expect this mail, you can ignore it.',
  },
}

export function invitationText(settings: MailSettings, invited: InvitationDetails): MailText {
  const { language, organization } = settings
  const { inviter, name, role, token, pageUrl, expiresAt } = invited
  const words = mailWords[language]
  const invites = words.invites(inviter, rolePhrases[language][role], organization)
  const request = [words.request, command(invited, words.accessToken)]
  const end = [words.validUntil(moment(settings, expiresAt)), words.unexpected]
  const blocks = pageUrl
    ? [`${invites} ${words.openPage}`, { link: pageUrl }, ...end, words.programs, { token }, ...request]
    : [`${invites} ${words.thisToken}`, { token }, ...request, ...end]
  return { subject: words.subject(organization), blocks: [words.greeting(name), ...blocks] }
}

function command({ token, acceptUrl }: Pick<InvitationDetails, 'token' | 'acceptUrl'>, access: string): MailBlock {
  const command = `curl -X POST ${acceptUrl} \\
  -H 'Authorization: Bearer ${access}' \\
  -H 'Content-Type: application/json' \\
  -d '{"token":"${token}"}'`
  return { command }
}
