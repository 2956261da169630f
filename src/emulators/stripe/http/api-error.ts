/** An answer that is no success, in the shape in which Stripe gives it. */
export interface StripeFault {
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

type Details = Partial<StripeFault['error']> & { status?: number }

/** Ends a request with a fault; what the request changed is undone, unless it is `kept` (a declined charge did happen). */
export class Refusal extends Error {
  constructor(
    readonly fault: StripeFault,
    readonly kept = false,
  ) {
    super(fault.error.message)
  }
}

export function refusal(message: string, { status = 400, ...details }: Details = {}): Refusal {
  return new Refusal(faultOf(status, message, details))
}

export function faultOf(status: number, message: string, details: Details = {}): StripeFault {
  const { code } = details
  const doc = code && { doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` }
  return { status, error: { type: 'invalid_request_error', ...doc, ...details, message } }
}

/** Stripe answers 404 when the path names what does not exist, and 400 when a parameter does. */
export function missing(noun: string, id: string, param = 'id'): Refusal {
  const status = param === 'id' ? 404 : 400
  return refusal(`No such ${noun}: '${id}'`, { status, code: 'resource_missing', param })
}
