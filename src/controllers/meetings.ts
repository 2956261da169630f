import { Employee, type Meeting, OrganizationConfig } from '../../entities/index.ts'
import { ClockTime } from '../../entities/instant.ts'
import { WallClock } from '../../entities/wall-clock.ts'
import {
  type Call,
  type ConflictMessage,
  createOperation,
  type Operation,
  Problem,
  updateOperation,
  type Violation,
} from '../hydra/index.ts'
import { exclusive, setExclusive } from '../workspace/meeting-overlap.ts'

const description =
  'While the setting "meetingOverlap" is "reject", meetings of one employee may not overlap: 409 names the other meeting. ' +
  'A meeting may start when another ends. A "time" on 1970-01-01 is a clock time in the organization\'s time zone. ' +
  'It becomes the first such moment between "dateFrom" and "dateTo".'

export const create: Operation<Meeting> = {
  ...createOperation<Meeting>({ prepare, expressions: { exclusive } }),
  description,
}

export const update: Operation<Meeting> = { ...updateOperation<Meeting>({ prepare, beforeUpdate }), description }

/** A change of the employee or the window can make meetings overlap. Any other change remains one statement. */
function beforeUpdate(call: Call<Meeting>, before: Meeting, after: Meeting): (() => Promise<void>) | undefined {
  return before.isAsPlanned(after) ? undefined : () => setExclusive(call.unitOfWork.executor, after)
}

/** Names the other meeting: the detail of Postgres ends with its constraint key, whose last part is the meeting's id. */
export const overlapConflict: ConflictMessage = ({ detail = '' }, iris) => {
  const id = detail.match(/[0-9a-f-]{36}/g)?.at(-1)
  return `It overlaps another meeting of the employee, ${iris.at(`/meetings/${id}`)}, and "meetingOverlap" is "reject".`
}

async function prepare(meeting: Meeting, call: Call<Meeting>): Promise<Violation[]> {
  if (call.caller.role === 'member') await requireOwnEmployee(meeting, call)
  if (!(meeting.time instanceof ClockTime && meeting.dateFrom instanceof Date)) return []
  const timezone = await timezoneOf(call)
  const clock = new WallClock(timezone)
  if (clock.isKnown) meeting.resolveClockTime(clock)
  else meeting.time = null
  return clock.isKnown ? [] : [unknownZone(timezone)]
}

const unknownZone = (timezone: string): Violation => ({
  propertyPath: 'time',
  message: `time cannot be a clock time: this server does not know the time zone "${timezone}". Set another "timezone".`,
  code: 'isTimeZone',
})

async function requireOwnEmployee({ employeeId }: Meeting, call: Call<Meeting>): Promise<void> {
  const mine = { organizationId: call.tenant, userId: call.user, id: employeeId ?? undefined }
  if (!employeeId || !(await call.manager.existsBy(Employee, mine)))
    throw new Problem(403, 'A member can plan only its own meetings: "employee" must be its own employee.')
}

async function timezoneOf(call: Call<Meeting>): Promise<string> {
  const { value } = await call.manager.findOneByOrFail(OrganizationConfig, {
    organizationId: call.tenant,
    key: 'timezone',
  })
  return value as string
}
