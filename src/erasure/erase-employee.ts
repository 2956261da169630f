import type { Employee } from '../../entities/index.ts'
import { record, type Writer } from '../audit/audit-log.ts'
import { copyEntity } from '../hydra/index.ts'
import { eraseEmployeeEvents, eraseInvitations } from './erase-traces.ts'

/**
 * Erases the data about an employee, in the transaction of the caller. The row stays under a neutral name, because meetings refer to
 * it.
 */
export async function eraseEmployee(by: Writer, before: Employee): Promise<Employee> {
  const after = copyEntity(before).erase()
  await by.unitOfWork.save(before, after)
  if (before.email !== null) await eraseInvitations(by, { email: before.email, userId: null })
  await eraseEmployeeEvents(by, before)
  await record({
    by,
    action: 'employee.erase',
    target: `/employees/${after.id}`,
    changes: { erasedAt: [null, after.erasedAt] },
  })
  return after
}
