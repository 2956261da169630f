import { Type } from 'class-transformer'
import { IsDateString, IsIn, IsOptional, IsString, Length, MaxLength } from 'class-validator'
import { Integration, Organization } from '../../entities/index.ts'
import type { Call } from '../hydra/call.ts'
import type { Operation } from '../hydra/operation.ts'
import { ConstraintViolation, Problem } from '../hydra/problem.ts'

/** How a bank is linked: starting a sign-in, finishing one, or handing over what the widget was given. */
export class KontomatikSetup {
  @IsOptional() @IsString() @MaxLength(2000) redirectUri?: string
  @IsOptional() @IsString() @Length(2, 3) country?: string
  @IsOptional() @IsString() @Length(2, 2) locale?: string
  @IsOptional() @IsIn(['SINGLE', 'MULTIPLE', 'MIXED']) accessMode?: string
  @IsOptional() @IsString() @MaxLength(255) redirectionId?: string
  @IsOptional() @IsString() @MaxLength(255) sessionId?: string
  @IsOptional() @IsString() @MaxLength(255) sessionIdSignature?: string
  @IsOptional() @IsString() @MaxLength(255) target?: string
  @IsOptional() @IsString() @MaxLength(255) officialName?: string
  @IsOptional() @IsString() @MaxLength(255) multipleAccessId?: string
}

/** From when on to import; from shortly before the last import unless said. */
export class KontomatikPull {
  @IsOptional()
  @Type(() => Integration)
  integration?: Integration

  @IsOptional()
  @IsDateString({ strict: true })
  @Length(10, 10)
  since?: string
}

export class KontomatikRevoke {
  @IsOptional()
  @Type(() => Integration)
  integration?: Integration
}

const absent = () =>
  new Problem(
    503,
    'Bank data cannot be had: this server does not speak to Kontomatik yet. Once it does, set KONTOMATIK_API_KEY.',
  )

export const setup: Operation<Integration> = {
  name: 'setup',
  method: 'POST',
  path: '/kontomatik/setup',
  title: () => 'Links a bank',
  description:
    'Takes a redirectUri to start, a redirectionId to finish, or the session of a widget. Not available yet: answers 503.',
  expects: KontomatikSetup,
  returns: 'item',
  statuses: [201, 400, 413, 415, 422],
  link: { name: 'setupKontomatik', on: Organization },
  async handle(call) {
    const { redirectUri, redirectionId, sessionId } = await call.input(KontomatikSetup)
    const forms = [redirectUri, redirectionId, sessionId].filter((value) => (value ?? null) !== null)
    if (forms.length !== 1)
      throw violation('redirectUri', 'Exactly one of redirectUri, redirectionId and sessionId must be given.')
    throw absent()
  },
}

export const pull: Operation<Integration> = {
  name: 'pull',
  method: 'POST',
  path: '/kontomatik/pull',
  title: () => 'Imports what is new at the linked bank',
  description: 'Not available yet: answers 503.',
  expects: KontomatikPull,
  returns: 'item',
  statuses: [200, 201, 400, 404, 413, 415, 422],
  link: { name: 'pull', when: ({ status }: Integration) => status === 'active' },
  async handle(call) {
    const { integration, since } = await call.input(KontomatikPull)
    if (since && since > new Date().toISOString().slice(0, 10))
      throw violation('since', 'since must not lie in the future.')
    await chosen(call, integration)
    throw absent()
  },
}

export const revoke: Operation<Integration> = {
  name: 'revoke',
  method: 'POST',
  path: '/kontomatik/revoke',
  title: () => 'Ends the consent to read from the linked bank',
  description: 'Not available yet: answers 503.',
  expects: KontomatikRevoke,
  returns: 'item',
  statuses: [200, 201, 400, 404, 413, 415, 422],
  link: { name: 'revoke', when: ({ status }: Integration) => status !== 'revoked' },
  async handle(call) {
    const { integration } = await call.input(KontomatikRevoke)
    await chosen(call, integration)
    throw absent()
  },
}

/** The integration that was named, or the only one there is. */
async function chosen(call: Call, named: Integration | undefined): Promise<Integration> {
  if (named) return call.get(Integration, named.id)
  const found = await call.manager.find(Integration, { where: { organizationId: call.organization }, take: 2 })
  if (found.length === 0) throw new Problem(404, 'No bank has been linked yet.')
  if (found.length > 1) throw violation('integration', 'integration must be given, as there are several.')
  return found[0]
}

function violation(propertyPath: string, message: string): ConstraintViolation {
  return new ConstraintViolation([{ propertyPath, message, code: 'isChosen' }])
}
