import { leave } from '../billing/renewals.ts'
import { named, type Route } from '../http/route.ts'

export const departures: Route[] = [
  {
    method: 'DELETE',
    path: '/v1/customers/{customer}',
    handle: (call) => leave(call.account, named(call, 'customer').id),
  },
]
