import type { OrganizationConfig } from '../../entities/index.ts'
import { settings } from '../../entities/settings.ts'
import { recordWrite } from '../audit/audit-log.ts'
import { type ConflictMessage, type Operation, updateOperation, type Violation } from '../hydra/index.ts'

const plain = updateOperation<OrganizationConfig>({ prepare, alsoWrite: recordWrite })

/** How long all meetings of an organization may take to be marked, in milliseconds. */
const patience = 7500

export const update: Operation<OrganizationConfig> = {
  ...plain,
  description:
    'Each key has a schema of its own. "meetingOverlap" becomes "reject" only where no meetings overlap that are not ' +
    'over yet (409 says how many do); those that are over are let be.',
  handle: (call) =>
    call.transaction(async () => {
      await call.manager.query(`SET LOCAL statement_timeout = ${patience}`)
      return plain.handle(call)
    }),
}

/** A value is stored in its canonical spelling, so that it is the same wherever it is read. */
function prepare(config: OrganizationConfig): Violation[] {
  const { canonical } = settings[config.key]
  if (canonical) config.value = canonical(config.value)
  return []
}

/** Says what keeps meetings from excluding each other: the database counts them, and names one. */
export const standing: ConflictMessage = ({ detail = '' }) => {
  const [count, id] = detail.split(' ')
  return `Meetings that are not over yet overlap others of the same employee: ${count}, such as /meetings/${id}. Move them first.`
}
