import { setTimeout as sleep } from 'node:timers/promises'
import type { KontomatikRequest } from '../http/response.ts'

/** A fault of the next matching requests; without method and path, it matches every request below /v1. */
export interface Fault {
  method?: string
  /** A part of the path. */
  path?: string
  /** A part of the body, for example to match one user's requests only. */
  body?: string
  /** `cut` ends in the middle of an answer, `lost` does what was asked and never answers; the others do nothing. */
  kind: 'slow' | 'status' | 'html' | 'cut' | 'lost' | 'exception'
  /** Of the exception. */
  name?: string
  /** Of `status` and `html`, else 503 and 502. */
  status?: number
  /** The body of `status`, empty unless said. */
  answer?: string
  /** `error` or `fatal`: the exception is then a polled command's, which comes with a status of 200. */
  state?: string
  /** Milliseconds that `slow` takes, else 1000, unless faults are cleared before; it answers all the same. */
  delay?: number
  /** Once unless said. */
  times?: number
}

export const faultKinds = ['slow', 'status', 'html', 'cut', 'lost', 'exception']

export class OrderedFaults {
  #planned: (Fault & { times: number })[] = []
  #over = new AbortController()

  order(fault: Fault): void {
    if (!faultKinds.includes(fault.kind)) throw new Error(`A fault's kind is one of ${faultKinds.join(', ')}.`)
    this.#planned.push({ ...fault, times: fault.times ?? 1 })
  }

  /** Drops all ordered faults; slow requests are answered at once. */
  clear(): void {
    this.#planned = []
    this.#over.abort()
    this.#over = new AbortController()
  }

  /** Lets time pass for slow steps. */
  async slow({ delay = 1000 }: Fault): Promise<void> {
    await sleep(delay, undefined, { signal: this.#over.signal }).catch(() => {})
  }

  /** The first that fits, which is then used up by one. */
  take({ method, path, body }: Pick<KontomatikRequest, 'method' | 'path' | 'body'>): Fault | undefined {
    const fault = this.#planned.find(
      (fault) =>
        fault.times > 0 &&
        (!fault.method || fault.method === method) &&
        path.includes(fault.path ?? '/v1/') &&
        body.includes(fault.body ?? ''),
    )
    if (fault) fault.times -= 1
    return fault
  }
}
