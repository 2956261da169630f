import { Problem } from '../model/problem.ts'
import { isIntegrityViolation } from '../store/database-problem.ts'
import type { RequestCall } from './request-call.ts'
import { type ApiResponse, responseOf } from './response.ts'

/** Runs an operation's handler, and again after a lost race where the request allows it. */
export function run(call: RequestCall): Promise<ApiResponse> {
  return call.unitOfWork.run(() => handle(call))
}

/** Calls the handler and turns its outcome into a response. */
export async function handle(call: RequestCall): Promise<ApiResponse> {
  try {
    return responseOf(call, await call.operation.handle(call))
  } catch (error) {
    const { unitOfWork } = call
    const isRefused = error instanceof Problem ? error.status < 429 : isIntegrityViolation(error)
    if (!unitOfWork.leavesToKeys || !isRefused) throw error
    // Nothing is inserted. Now every reference is looked up, so that the response names all violations of the body.
    unitOfWork.leavesToKeys = call.trustsKeys = false
    return responseOf(call, await call.operation.handle(call))
  }
}
