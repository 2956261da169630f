import { deleteCustomer } from '../billing/renewals.ts'
import { pathObject, type Route } from '../http/route.ts'

export const customerDeletion: Route[] = [
  {
    method: 'DELETE',
    path: '/v1/customers/{customer}',
    handle: (call) => deleteCustomer(call.account, pathObject(call, 'customer').id),
  },
]
