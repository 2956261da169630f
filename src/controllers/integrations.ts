import { Type } from 'class-transformer'
import { IsDateString, IsOptional, Length } from 'class-validator'
import { Integration, Organization } from '../../entities/index.ts'
import type { Banking } from '../banking/banking.ts'
import { pullOutcome, startPull } from '../banking/import/start-pull.ts'
import { choiceViolation, findIntegration, requireBankingModule } from '../banking/link/find-integration.ts'
import { KontomatikSetup } from '../banking/link/kontomatik-setup.ts'
import { finishSignIn, startSignIn } from '../banking/link/sign-in.ts'
import { startRevocation } from '../banking/link/start-revocation.ts'
import { acceptWidgetSession } from '../banking/link/widget-session.ts'
import { waitForSync } from '../banking/sync/wait-for-sync.ts'
import { Accepted, type Operation, Unchanged } from '../hydra/index.ts'

/** The day to import from. Without it, seven days before the last import. */
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

export const setup = (banking: Banking): Operation<Integration> => ({
  name: 'setup',
  method: 'POST',
  path: '/kontomatik/setup',
  title: () => 'Link a bank',
  description:
    'Send exactly one of redirectUri, redirectionId and sessionId. An allowed redirectUri starts a sign-in: send the browser ' +
    'to the redirectUrl of the response before expiresAt. A redirectionId finishes it: 409 means that the person has not ' +
    'signed in yet, 410 that the time is over. A sessionId, with its signature and a multipleAccessId, hands over the session ' +
    'of the widget. A bank that is linked already is replaced: its former consent ends. Needs the module "banking".',
  expects: KontomatikSetup,
  returns: 'item',
  statuses: [200, 201, 400, 404, 409, 410, 413, 415, 422, 502, 504],
  callsExternalService: true,
  link: { name: 'setupKontomatik', on: Organization },
  async handle(call) {
    const input = await call.input(KontomatikSetup)
    const { redirectUri, redirectionId, sessionId } = input
    const forms = [redirectUri, redirectionId, sessionId].filter((value) => (value ?? null) !== null)
    if (forms.length !== 1)
      throw choiceViolation('redirectUri', 'Exactly one of redirectUri, redirectionId and sessionId must be given.')
    if (redirectUri && !banking.allows(redirectUri))
      throw choiceViolation('redirectUri', 'redirectUri must be one of the addresses that this server allows.')
    await requireBankingModule(call)
    if (redirectUri) return startSignIn(call, banking, { ...input, redirectUri })
    return redirectionId ? finishSignIn(call, banking, redirectionId) : acceptWidgetSession(call, banking, input)
  },
})

export const pull = (banking: Banking): Operation<Integration> => ({
  name: 'pull',
  method: 'POST',
  path: '/kontomatik/pull',
  title: () => 'Import new transactions from the linked bank',
  description:
    'The response comes within 25 seconds. The status 202 means that the import still runs: send the same request again. It ' +
    'never starts a second import. "integration" may be left out where there is only one. An import starts from "since", ' +
    'else seven days before the last import. It starts earlier if an older line is pending. A consent that is used again ' +
    'shows at most the last 90 days. "importedSince" is the first day of the import. "partial" is true if lines may be ' +
    'missing: a late start, a timeout of the bank, or unreadable ("skipped") lines. The status 409 ' +
    'means that the consent has ended, 429 that the bank allows no more imports today. Needs the module "banking".',
  expects: KontomatikPull,
  returns: 'item',
  statuses: [201, 202, 400, 404, 409, 413, 415, 422, 429, 502, 503, 504],
  callsExternalService: true,
  link: { name: 'pull', when: ({ canImport }: Integration) => canImport },
  async handle(call) {
    const { integration: named, since } = await call.input(KontomatikPull)
    if (since && since > new Date().toISOString().slice(0, 10))
      throw choiceViolation('since', 'since must not lie in the future.')
    await requireBankingModule(call)
    const integration = await findIntegration(call, named)
    const isRepeated = integration.pullId === call.request.claim
    if (!isRepeated && integration.status !== 'importing') await startPull(call, integration, since ?? null)
    return pullOutcome(await waitForSync(call, banking, integration.id, ({ status }) => status !== 'importing'))
  },
})

export const revoke = (banking: Banking): Operation<Integration> => ({
  name: 'revoke',
  method: 'POST',
  path: '/kontomatik/revoke',
  title: () => 'End the consent to read from the linked bank',
  consequence: 'destroys',
  description:
    'A running import is stopped first; imported transactions stay. 202 means that Kontomatik could not be reached: the ' +
    'server retries until Kontomatik confirms, or the consent ends by itself. Also without the module "banking".',
  expects: KontomatikRevoke,
  returns: 'item',
  statuses: [200, 201, 202, 400, 404, 409, 413, 415, 422],
  callsExternalService: true,
  link: { name: 'revoke', when: ({ status }: Integration) => status !== 'revoked' },
  async handle(call) {
    const before = await findIntegration(call, (await call.input(KontomatikRevoke)).integration)
    if (before.status === 'revoked') return new Unchanged(before)
    await startRevocation(call, before)
    // One more failure means that the job has tried since this request.
    const failures = before.status === 'revoking' ? before.failures : 0
    const isTried = (current: Integration) => current.status !== 'revoking' || current.failures > failures
    const after = await waitForSync(call, banking, before.id, isTried)
    return after.status === 'revoked' ? after : new Accepted(after, 30)
  },
})
