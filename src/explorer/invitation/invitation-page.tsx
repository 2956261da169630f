import type { Request } from 'express'
import { render } from 'preact-render-to-string'
import { v7 as uuid } from 'uuid'
import { OrganizationUserInvitation } from '../../../entities/index.ts'
import type { Person } from '../../access/session/choices.ts'
import type { OpenSession } from '../../access/session/sessions.ts'
import type { Api, Caller } from '../../hydra/index.ts'
import { invitationPath as path } from '../../invitations/invitation-iri.ts'
import type { OpenedInvitation } from '../../invitations/opened-invitation.ts'
import { linkKeeper } from '../drawing.ts'
import { localeOf } from '../parts/formats.ts'
import { Layout } from '../parts/layout.tsx'
import { languageIn } from '../session/session-page.tsx'
import { type InvitationWords, invitationWords } from './invitation-words.ts'

interface SignedIn {
  session: OpenSession
  person: Person
  formToken: string
}

/** Everything that the page of an invitation shows. */
interface InvitationView {
  api: Api
  request: Request
  caller: Caller
  /** Undefined before a sign-in. */
  signedIn: SignedIn | undefined
  /** Undefined where the token belongs to none. */
  invitation: OpenedInvitation | undefined
  token: string | undefined
}

interface PartProps extends InvitationView {
  words: InvitationWords
  to(path: string): string
}

/** The page `/invitation`. */
export function invitationPage(view: InvitationView): string {
  const { api, request, caller, invitation } = view
  const language = languageIn(request)
  const words = invitationWords[language.tag]
  const frame = {
    ...language,
    api,
    caller,
    title: invitation ? words.title(invitation.organization) : words.unknown,
    target: api.iris.at(path),
    to: linkKeeper(language),
    inLanguage: (tag: string) => `${api.iris.at(path)}?lang=${tag}`,
    // A form of a page with "no-referrer" has the origin "null", so browsers without Fetch Metadata could not send it.
    referrer: 'same-origin',
  }
  return `<!doctype html>${render(
    <Layout {...frame}>
      {invitation ? (
        <Invitation {...view} {...frame} words={words} invitation={invitation} tag={language.tag} />
      ) : (
        <p>{words.unknownHint}</p>
      )}
    </Layout>,
  )}`
}

type Opened = PartProps & { invitation: OpenedInvitation; tag: string }

/** The invitation of a token, and the next step of the person. */
function Invitation(props: Opened) {
  const { words, invitation, tag, signedIn, to, api } = props
  const { inviter, role, organization, email, expiresAt, timezone, status, isOwn } = invitation
  const format = new Intl.DateTimeFormat(localeOf(tag), { dateStyle: 'long', timeStyle: 'short', timeZone: timezone })
  const until = `${format.format(expiresAt)} (${timezone})`
  if (status === 'accepted') return isOwn ? <Accepted {...props} /> : <p>{words.usedUp}</p>
  if (status !== 'pending')
    return <p>{status === 'revoked' ? words.revoked(organization) : words.expired(until, inviter)}</p>
  return (
    <>
      <p>{words.invites(inviter, role, organization)}</p>
      <p>{words.until(email, until)}</p>
      {signedIn ? (
        <Acceptance {...props} signedIn={signedIn} />
      ) : (
        <>
          <p>{words.signInHint}</p>
          <p>
            <a
              class="button"
              href={to(`${api.iris.at('/session')}?return=${encodeURIComponent(to(api.iris.at(path)))}`)}
            >
              {words.signIn}
            </a>
          </p>
        </>
      )}
    </>
  )
}

/** The form that accepts, for the account that has signed in. It runs the operation of the API. */
function Acceptance({ api, words, caller, signedIn, invitation, token, to }: Opened & { signedIn: SignedIn }) {
  const { resource, accept } = operationIn(api)
  const { session, person, formToken } = signedIn
  const { email, name } = session.caller.bearer ?? {}
  const account = person.name ?? name ?? email ?? session.row.subject
  const isOther = email !== undefined && email.toLowerCase() !== invitation.email.toLowerCase()
  const names = api.formNames
  if (!api.permissions.allows(accept, caller))
    return <p class="note">{accept.refusals?.[caller.role] ?? caller.reason}</p>
  return (
    <>
      <p>{words.signedInAs(email && email !== account ? `${account} (${email})` : account)}</p>
      {isOther && <p class="note">{words.otherAddress}</p>}
      {invitation.isMember && <p class="note">{words.isMember}</p>}
      <form method="post" action={to(api.iris.at(resource.path + accept.path))} class="operation">
        <input type="hidden" name={names.token} value={formToken} />
        <input type="hidden" name={names.key} value={uuid()} />
        <input type="hidden" name="token" value={token} />
        <p class="buttons">
          <button type="submit">{words.accept}</button>
          <a href={to(`${api.iris.at('/session')}?return=${encodeURIComponent(to(api.iris.at(path)))}`)}>
            {words.otherAccount}
          </a>
        </p>
      </form>
    </>
  )
}

/** For the person who has accepted: the way to the organization. */
function Accepted({ api, words, caller, signedIn, invitation, to }: Opened) {
  const { organizationId, organization } = invitation
  const isOffered = signedIn?.person.organizations.some(({ id }) => id === organizationId)
  return (
    <>
      <p>{words.accepted(organization)}</p>
      {isOffered && caller.tenant !== organizationId ? (
        <form method="post" action={to(api.iris.at('/session/organization'))}>
          <input type="hidden" name={api.formNames.token} value={signedIn?.formToken} />
          <input type="hidden" name="return" value={api.iris.at('/')} />
          <button name="organization" value={organizationId} type="submit">
            {words.actFor(organization)}
          </button>
        </form>
      ) : (
        <p>
          <a class="button" href={to(api.iris.at('/'))}>
            {words.start}
          </a>
        </p>
      )}
    </>
  )
}

function operationIn(api: Api) {
  const resource = api.resourceOf(OrganizationUserInvitation)
  const accept = resource.operations.find(({ name }) => name === 'accept')
  if (!accept) throw new Error('The table of the API has no operation that accepts an invitation.')
  return { resource, accept }
}
