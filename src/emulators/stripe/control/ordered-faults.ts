/**
 * A fault replaces, delays or changes the response to a request. A `late` status comes after the request was executed.
 * A list that is `behind` lacks the objects of the last seconds, like a list read from a replica.
 */
export type FaultKind =
  | { kind: 'slow'; ms: number }
  | { kind: 'status'; status: number; retryAfter?: number; late?: boolean }
  | { kind: 'html'; status?: number }
  | { kind: 'nonsense'; status?: number; truncated?: boolean; body?: string }
  | { kind: 'cut' }
  | { kind: 'lost' }
  | { kind: 'behind'; seconds?: number }
  | { kind: 'decline'; code: string }

/** Without a method or a path it is for every request; `times` is 1 unless told. */
export type Fault = FaultKind & { method?: string; path?: string; times?: number }

export const faultKinds = ['slow', 'status', 'html', 'nonsense', 'cut', 'lost', 'behind', 'decline']

/** The orders that are still to be carried out, in turn. */
export class OrderedFaults {
  private orders: Fault[] = []

  order(order: Fault): void {
    if (!faultKinds.includes(order.kind)) {
      throw new Error(`There is no fault of kind "${order.kind}": use one of ${faultKinds.join(', ')}.`)
    }
    this.orders.push({ ...order, times: order.times ?? 1 })
  }

  clear(): void {
    this.orders = []
  }

  take(method: string, path: string): Fault | undefined {
    const order = this.orders.find((one) => {
      return (!one.method || one.method.toUpperCase() === method) && path.startsWith(one.path ?? '')
    })
    if (!order) return
    order.times = (order.times ?? 1) - 1
    if (order.times <= 0) this.orders = this.orders.filter((one) => one !== order)
    return order
  }
}
