/** An answer that is no success, in the shape in which Stripe gives it. */
export interface ErrorResponse {
  status: number
  error: {
    type: string
    code?: string
    message: string
    param?: string
    decline_code?: string
    doc_url?: string
    [detail: string]: unknown
  }
}

type Details = Partial<ErrorResponse['error']> & { status?: number }

/** Ends a request with an error; its changes are undone, unless the error is `kept` (a declined charge did happen). */
export class StripeError extends Error {
  constructor(
    readonly response: ErrorResponse,
    readonly kept = false,
  ) {
    super(response.error.message)
  }
}

export function invalidRequest(message: string, { status = 400, ...details }: Details = {}): StripeError {
  return new StripeError(errorResponse(status, message, details))
}

export function errorResponse(status: number, message: string, details: Details = {}): ErrorResponse {
  const { code } = details
  const doc = code && { doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` }
  return { status, error: { type: 'invalid_request_error', ...doc, ...details, message } }
}

/** Stripe answers 404 when the path names what does not exist, and 400 when a parameter does. */
export function resourceMissing(noun: string, id: string, param = 'id'): StripeError {
  const status = param === 'id' ? 404 : 400
  return invalidRequest(`No such ${noun}: '${id}'`, { status, code: 'resource_missing', param })
}
