import type { OpenedInvitation } from '../../invitations/opened-invitation.ts'
import { rolePhrases } from '../../invitations/role-phrases.ts'

type InvitedRole = OpenedInvitation['role']

const en = {
  title: (organization: string) => `Invitation to ${organization}`,
  unknown: 'This link leads to no invitation',
  unknownHint: 'Open the link in your mail once more. If you have several mails, only the newest one counts.',
  invites: (inviter: string, role: InvitedRole, organization: string) =>
    `${inviter} invites you to become ${rolePhrases.en[role]} of ${organization}.`,
  until: (email: string, until: string) => `The invitation was sent to ${email}, and expires on ${until}.`,
  signInHint: 'Sign in with your own account to accept it. You return to this page afterwards.',
  signIn: 'Sign in to accept',
  signedInAs: (account: string) => `You are signed in as ${account}.`,
  otherAddress: 'The invitation was sent to another address. You can accept it with this account all the same.',
  isMember: 'You belong to this organization already. If you accept, you keep your role.',
  accept: 'Accept the invitation',
  otherAccount: 'Use another account',
  accepted: (organization: string) => `You have accepted this invitation. You belong to ${organization}.`,
  actFor: (organization: string) => `Go on in ${organization}`,
  start: 'Go to the start page',
  usedUp: 'Someone has accepted this invitation already. If that was you, sign in with the same account as then.',
  revoked: (organization: string) => `${organization} has withdrawn this invitation. Ask for a new one.`,
  expired: (until: string, inviter: string) => `This invitation expired on ${until}. Ask ${inviter} to send it again.`,
}

export type InvitationWords = typeof en

const nl: InvitationWords = {
  title: (organization) => `Uitnodiging voor ${organization}`,
  unknown: 'Deze link hoort bij geen uitnodiging',
  unknownHint: 'Open de link in uw mail nog eens. Hebt u meer mails, dan telt alleen de nieuwste.',
  invites: (inviter, role, organization) =>
    `${inviter} nodigt u uit om ${rolePhrases.nl[role]} te worden van ${organization}.`,
  until: (email, until) => `De uitnodiging is gestuurd naar ${email}, en verloopt op ${until}.`,
  signInHint: 'Log in met uw eigen account om haar te aanvaarden. Daarna keert u terug naar deze pagina.',
  signIn: 'Inloggen om te aanvaarden',
  signedInAs: (account) => `U bent ingelogd als ${account}.`,
  otherAddress: 'De uitnodiging is naar een ander adres gestuurd. U kunt haar toch met dit account aanvaarden.',
  isMember: 'U hoort al bij deze organisatie. Als u aanvaardt, houdt u uw rol.',
  accept: 'Uitnodiging aanvaarden',
  otherAccount: 'Een ander account gebruiken',
  accepted: (organization) => `U hebt deze uitnodiging aanvaard. U hoort bij ${organization}.`,
  actFor: (organization) => `Verder in ${organization}`,
  start: 'Naar de beginpagina',
  usedUp: 'Iemand heeft deze uitnodiging al aanvaard. Was u dat, log dan in met hetzelfde account als toen.',
  revoked: (organization) => `${organization} heeft deze uitnodiging ingetrokken. Vraag om een nieuwe.`,
  expired: (until, inviter) => `Deze uitnodiging is verlopen op ${until}. Vraag ${inviter} haar opnieuw te sturen.`,
}

/** The words of the page of an invitation, by language. */
export const invitationWords: Record<string, InvitationWords> = { en, nl }
