import type { OrganizationUserInvitation } from '../../entities/index.ts'
import { remove } from '../hydra/crud.ts'
import type { Operation } from '../hydra/operation.ts'
import { Problem } from '../hydra/problem.ts'

/** The row stays, so that it can be told what became of the invitation. */
export const revoke: Operation<OrganizationUserInvitation> = {
  ...(remove as Operation as unknown as Operation<OrganizationUserInvitation>),
  title: () => 'Revokes the invitation, so that its token opens nothing any more',
  async handle(call) {
    const invitation = await call.find()
    call.match(invitation)
    if (invitation.acceptedAt) throw new Problem(409, 'It has been accepted: remove the member instead.')
    if (!invitation.revokedAt)
      await call.save(invitation, Object.assign(Object.create(Object.getPrototypeOf(invitation)), invitation).revoke())
    return undefined
  },
}
