import type { Employee } from '../../entities/index.ts'
import { recordWrite } from '../audit/audit-log.ts'
import { type Call, createOperation, updateOperation } from '../hydra/index.ts'

/** Audits a change of the employee's user only: it decides whose meetings that user may read and plan. */
async function alsoWrite(call: Call<Employee>, after: Employee, before?: Employee): Promise<void> {
  if ((before?.userId ?? null) !== after.userId) await recordWrite(call, after, before)
}

export const create = createOperation<Employee>({ alsoWrite })

export const update = updateOperation<Employee>({ alsoWrite })
