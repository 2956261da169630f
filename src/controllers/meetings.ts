import { Employee, type Meeting, OrganizationConfig } from '../../entities/index.ts'
import type { Call } from '../hydra/call.ts'
import { creating, updating } from '../hydra/crud.ts'
import { Problem, type Violation } from '../hydra/problem.ts'

export const create = creating<Meeting>({ prepare })

export const update = updating<Meeting>({ prepare })

async function prepare(meeting: Meeting, call: Call<Meeting>): Promise<Violation[]> {
  if (call.caller.role === 'member') await requireOwnEmployee(meeting, call)
  if (meeting.hasClockTime && meeting.dateFrom instanceof Date) meeting.settleClockTime(await timezoneOf(call))
  return []
}

async function requireOwnEmployee({ employeeId }: Meeting, call: Call<Meeting>): Promise<void> {
  const mine = { organizationId: call.organization, userId: call.user, id: employeeId ?? undefined }
  if (!employeeId || !(await call.manager.existsBy(Employee, mine)))
    throw new Problem(403, 'A member plans its own meetings: "employee" must be the employee that you are.')
}

async function timezoneOf(call: Call<Meeting>): Promise<string> {
  const { value } = await call.manager.findOneByOrFail(OrganizationConfig, {
    organizationId: call.organization,
    key: 'timezone',
  })
  return value as string
}
