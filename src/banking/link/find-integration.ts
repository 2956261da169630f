import { setTimeout as sleep } from 'node:timers/promises'
import { Integration, OrganizationModule } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { type Call, type ConstraintViolation, Problem } from '../../hydra/index.ts'
import type { Banking } from '../banking.ts'
import { violation } from '../error-codes.ts'

/** Banking is a module of its own, which an organization has or has not. */
export async function requireModule({ manager, organization: organizationId }: Call): Promise<void> {
  if (await manager.existsBy(OrganizationModule, { organizationId, name: 'banking', enabled: true })) return
  throw new Problem(403, 'This needs the module "banking": add it to the subscription first.', {}, 'module_disabled')
}

/** The link that was named, or the only one there is; of those that are over the last, where there are no others. */
export async function selectIntegration(call: Call, named: Integration | undefined): Promise<Integration> {
  if (named) return call.get(Integration, named.id)
  const found = await call.manager.find(Integration, {
    where: { organizationId: call.organization },
    order: { id: 'DESC' },
  })
  const live = found.filter(({ status }) => status !== 'pending' && status !== 'revoked')
  if (live.length > 1) throw unchosen('integration', 'integration must be given, as there are several.')
  const [only = found[0]] = live
  if (!only) throw new Problem(404, 'No bank has been linked yet.')
  return only
}

/** Waits, as long as a request may, until what a job does to a link is done; gives the link back as it stands then. */
export async function settled(
  call: Call,
  { timing }: Banking,
  id: string,
  done: (link: Integration) => boolean,
): Promise<Integration> {
  const end = Date.now() + timing.wait
  for (let pause = 20; ; pause = Math.min(pause * 1.5, 250)) {
    const link = await call.get(Integration, id)
    if (done(link) || Date.now() + pause > end) return link
    await sleep(pause)
  }
}

/** Writes into the audit log what somebody has done to a link: nothing of it but its status is told. */
export function note(call: Call, verb: string, { id }: Integration, status: [unknown, unknown]): Promise<void> {
  return record({ by: call, action: `integration.${verb}`, target: `/integrations/${id}`, changes: { status } })
}

/** What was sent does not tell which of several things is meant, or names one that cannot be. */
export function unchosen(propertyPath: string, message: string): ConstraintViolation {
  return violation(propertyPath, message, 'isChosen')
}
