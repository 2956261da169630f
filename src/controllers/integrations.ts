import { IsIn, IsOptional, IsString, Length, MaxLength } from 'class-validator'
import { type Integration, Organization } from '../../entities/index.ts'
import type { Banking } from '../banking/banking.ts'
import type { AccessMode } from '../banking/kontomatik/kontomatik-client.ts'
import { requireModule, unchosen } from '../banking/link/find-integration.ts'
import { finishSignIn, startSignIn } from '../banking/link/sign-in.ts'
import { acceptWidgetSession } from '../banking/link/widget-session.ts'
import type { Operation } from '../hydra/index.ts'

/** How a bank is linked: starting a sign-in, finishing one, or handing over what the widget was given. */
export class KontomatikSetup {
  @IsOptional() @IsString() @MaxLength(2000) redirectUri?: string
  @IsOptional() @IsString() @Length(2, 3) country?: string
  @IsOptional() @IsString() @Length(2, 2) locale?: string
  @IsOptional() @IsIn(['SINGLE', 'MULTIPLE', 'MIXED']) accessMode?: AccessMode
  @IsOptional() @IsString() @MaxLength(255) redirectionId?: string
  @IsOptional() @IsString() @MaxLength(255) sessionId?: string
  @IsOptional() @IsString() @MaxLength(255) sessionIdSignature?: string
  @IsOptional() @IsString() @MaxLength(255) target?: string
  @IsOptional() @IsString() @MaxLength(255) officialName?: string
  @IsOptional() @IsString() @MaxLength(255) multipleAccessId?: string
}

export const setup = (banking: Banking): Operation<Integration> => ({
  name: 'setup',
  method: 'POST',
  path: '/kontomatik/setup',
  title: () => 'Links a bank',
  description:
    'With a redirectUri, which must be an allowed one, it starts: send the browser to the redirectUrl of the answer before ' +
    'expiresAt. With the redirectionId it finishes: 409 until somebody has signed in, 410 when it took too long. With a ' +
    'sessionId, its signature and a multipleAccessId it takes over what the widget was given. A bank that is linked already ' +
    'is linked anew in its place, and the former consent is ended. Needs the module "banking".',
  expects: KontomatikSetup,
  returns: 'item',
  statuses: [200, 201, 400, 404, 409, 410, 413, 415, 422, 502, 504],
  callsExternalService: true,
  link: { name: 'setupKontomatik', on: Organization },
  async handle(call) {
    const wish = await call.input(KontomatikSetup)
    const { redirectUri, redirectionId, sessionId } = wish
    const forms = [redirectUri, redirectionId, sessionId].filter((value) => (value ?? null) !== null)
    if (forms.length !== 1)
      throw unchosen('redirectUri', 'Exactly one of redirectUri, redirectionId and sessionId must be given.')
    if (redirectUri && !banking.allows(redirectUri))
      throw unchosen('redirectUri', 'redirectUri must be one of the addresses that this server allows.')
    await requireModule(call)
    if (redirectUri) return startSignIn(call, banking, { ...wish, redirectUri })
    return redirectionId ? finishSignIn(call, banking, redirectionId) : acceptWidgetSession(call, banking, wish)
  },
})
