import { IsString, MaxLength } from 'class-validator'
import type { Employee } from '../../entities/index.ts'
import { recordWrite } from '../audit/audit-log.ts'
import { eraseEmployee } from '../erasure/erase-employee.ts'
import { enqueueNotes } from '../erasure/erase-notes.ts'
import {
  Accepted,
  type Call,
  createOperation,
  type Operation,
  Problem,
  Unchanged,
  updateOperation,
} from '../hydra/index.ts'
import { requireName } from '../workspace/confirmation.ts'

/** The body of the erasure: the confirmation. */
export class EmployeeErasure {
  /** The name of the employee. */
  @IsString()
  @MaxLength(255)
  confirm: string
}

/** Audits a change of the employee's user only: it decides whose meetings that user may read and plan. */
async function alsoWrite(call: Call<Employee>, after: Employee, before?: Employee): Promise<void> {
  if ((before?.userId ?? null) !== after.userId) await recordWrite(call, after, before)
}

export const create = createOperation<Employee>({ alsoWrite })

export const update = updateOperation<Employee>({
  async alsoWrite(call, after, before) {
    if (before?.erasedAt) throw new Problem(409, 'The data of this employee was erased: create another employee.')
    await alsoWrite(call, after, before)
  },
})

/** The Retry-After of the response: the job empties thousands of notes in a second. */
const retrySeconds = 2

export const erase: Operation<Employee> = {
  name: 'erase',
  method: 'POST',
  path: '/:id/erase',
  title: () => 'Erase the data of an employee',
  consequence: 'destroys',
  description:
    'The employee loses its name, email address, phone number, job title and user, also in the audit log. Its meetings stay ' +
    'under the name "Erased employee", without their notes. Invitations to its address are revoked, and lose it. An account of the ' +
    'person stays: end its membership, or let the person erase it. The response is 202 while a job empties notes, and then ' +
    'a repetition answers 200. "confirm" is the name of the employee. It cannot be undone.',
  expects: EmployeeErasure,
  returns: 'item',
  statuses: [200, 201, 202, 400, 404, 409, 413, 415, 422],
  link: { name: 'erase', when: ({ erasedAt }: Employee) => erasedAt === null },
  async handle(call) {
    const before = await call.find()
    const { confirm } = await call.input(EmployeeErasure)
    if (!before.erasedAt) requireName(confirm, before)
    return call.unitOfWork.transaction(async () => {
      const after = before.erasedAt ? before : await eraseEmployee(call, before)
      if (await enqueueNotes(call.manager, after)) return new Accepted(after, retrySeconds)
      return before.erasedAt ? new Unchanged(after) : after
    })
  },
}
