import { User } from '../../entities/index.ts'
import type { Operation } from '../hydra/operation.ts'
import { Problem } from '../hydra/problem.ts'

export const me: Operation<User> = {
  name: 'me',
  method: 'GET',
  path: '/me',
  title: () => 'Shows the user that the caller is',
  returns: 'item',
  statuses: [200, 304, 404],
  async handle(call) {
    if (!call.caller.user)
      throw new Problem(404, 'You have no user yet: found an organization, or accept an invitation.')
    return call.get(User, call.caller.user)
  },
}
