import type { RequestCall } from './request-call.ts'
import { type ApiResponse, responseOf } from './response.ts'

/** Runs an operation's handler, and again after a lost race where the request allows it. */
export function run(call: RequestCall): Promise<ApiResponse> {
  return call.unitOfWork.run(() => handle(call))
}

/** Calls the handler and turns its outcome into a response. */
export async function handle(call: RequestCall): Promise<ApiResponse> {
  return responseOf(call, await call.operation.handle(call))
}
