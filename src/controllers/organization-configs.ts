import type { OrganizationConfig } from '../../entities/index.ts'
import { settings } from '../../entities/settings.ts'
import { recordWrite } from '../audit/audit-log.ts'
import { tellCustomer } from '../billing/enqueue-customer-profile.ts'
import { type Call, type ConflictMessage, type Operation, updateOperation, type Violation } from '../hydra/index.ts'

const plainUpdate = updateOperation<OrganizationConfig>({ prepare, alsoWrite })

/** The limit of the statement that marks every meeting of an organization when "meetingOverlap" changes. */
const statementTimeoutMs = 7500

export const update: Operation<OrganizationConfig> = {
  ...plainUpdate,
  description:
    'Each key has its own schema. "meetingOverlap" can become "reject" only while no current or future meetings overlap: ' +
    '409 says how many do. Past meetings are ignored.',
  handle: (call) =>
    call.unitOfWork.transaction(async () => {
      await call.manager.query(`SET LOCAL statement_timeout = ${statementTimeoutMs}`)
      return plainUpdate.handle(call)
    }),
}

/** Stores the canonical spelling of a value, for example of a language tag. */
function prepare(config: OrganizationConfig): Violation[] {
  const { canonical } = settings[config.key]
  if (canonical) config.value = canonical(config.value)
  return []
}

/** Records the change, and sends another language to Stripe, which writes the invoices in it. */
async function alsoWrite(call: Call<OrganizationConfig>, after: OrganizationConfig, before?: OrganizationConfig) {
  await recordWrite(call, after, before)
  if (after.key === 'language' && after.version !== before?.version)
    await tellCustomer(call.manager, after.organizationId)
}

/** Refuses "meetingOverlap": the trigger's detail is the number of overlapping meetings and the id of one. */
export const overlappingMeetings: ConflictMessage = ({ detail = '' }) => {
  const [count, id] = detail.split(' ')
  return `Current or future meetings overlap others of the same employee: ${count}, such as /meetings/${id}. Move them first.`
}
