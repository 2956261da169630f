import { Integration, OrganizationModule } from '../../../entities/index.ts'
import { type Call, type ConstraintViolation, Problem } from '../../hydra/index.ts'
import { violation } from '../error-codes.ts'

/** @throws Problem 403 where the organization does not have the module "banking" */
export async function requireBankingModule({ manager, tenant: organizationId }: Call): Promise<void> {
  if (await manager.existsBy(OrganizationModule, { organizationId, name: 'banking', enabled: true })) return
  throw new Problem(403, 'This needs the module "banking": add it to the subscription first.', {}, 'module_disabled')
}

/**
 * The integration that the request names. Without a name it is the only live one, or the newest where none is live.
 * @throws a violation where several are live, Problem 404 where there is none
 */
export async function findIntegration(call: Call, named: Integration | undefined): Promise<Integration> {
  if (named) return call.get(Integration, named.id)
  const found = await call.manager.find(Integration, {
    where: { organizationId: call.tenant },
    order: { id: 'DESC' },
  })
  const live = found.filter(({ status }) => status !== 'pending' && status !== 'revoked')
  if (live.length > 1) throw choiceViolation('integration', 'integration must be given, as there are several.')
  const [only = found[0]] = live
  if (!only) throw new Problem(404, 'No bank has been linked yet.')
  return only
}

/** For a property that is missing among alternatives, or has a value that is not allowed. */
export function choiceViolation(propertyPath: string, message: string): ConstraintViolation {
  return violation(propertyPath, message, 'isChosen')
}
