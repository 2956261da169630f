import type { OrganizationConfig } from '../../entities/index.ts'
import { settings } from '../../entities/settings.ts'
import { recordWrite } from '../audit/audit-log.ts'
import { tellCustomer } from '../billing/enqueue-customer-profile.ts'
import { type Call, type Operation, updateOperation, type Violation } from '../hydra/index.ts'
import { switchMeetingOverlap } from '../workspace/meeting-overlap.ts'
import { forgetTimeZones } from '../workspace/organization-time-zone.ts'

export const update: Operation<OrganizationConfig> = {
  ...updateOperation<OrganizationConfig>({ prepare, beforeUpdate, alsoWrite }),
  description:
    'Each key has its own schema. "meetingOverlap" can become "reject" only while no current or future meetings overlap: ' +
    '409 says how many do. Past meetings are ignored.',
}

/** Stores the canonical spelling of a value, for example of a language tag. */
function prepare(config: OrganizationConfig): Violation[] {
  const { canonical } = settings[config.key]
  if (canonical) config.value = canonical(config.value)
  return []
}

function beforeUpdate(call: Call<OrganizationConfig>, before: OrganizationConfig, { key, value }: OrganizationConfig) {
  if (key !== 'meetingOverlap' || value === before.value) return undefined
  return () => switchMeetingOverlap(call.manager, call.tenant, value)
}

/** Records the change, lets pages show another time zone, and sends another language to Stripe, which writes the invoices in it. */
async function alsoWrite(call: Call<OrganizationConfig>, after: OrganizationConfig, before?: OrganizationConfig) {
  await recordWrite(call, after, before)
  if (after.key === 'timezone') call.unitOfWork.after(forgetTimeZones)
  if (after.key === 'language' && after.version !== before?.version)
    await tellCustomer(call.manager, after.organizationId)
}
