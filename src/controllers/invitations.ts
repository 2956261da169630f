import type { OrganizationUserInvitation } from '../../entities/index.ts'
import { remove } from '../hydra/crud.ts'
import { copy } from '../hydra/entity.ts'
import type { Operation } from '../hydra/operation.ts'
import { Problem } from '../hydra/problem.ts'
import { record } from './audit.ts'

/** The row stays, so that it can be told what became of the invitation. */
export const revoke: Operation<OrganizationUserInvitation> = {
  ...(remove as Operation as unknown as Operation<OrganizationUserInvitation>),
  title: () => 'Revokes the invitation, so that its token opens nothing any more',
  async handle(call) {
    const invitation = await call.find()
    call.match(invitation)
    if (invitation.acceptedAt) throw new Problem(409, 'It has been accepted: remove the member instead.')
    if (invitation.revokedAt) return undefined
    const revoked = copy(invitation).revoke()
    return call.transaction(async () => {
      await call.save(invitation, revoked)
      const changes = { status: [invitation.status, revoked.status] as [string, string] }
      await record(
        call,
        'organizationUserInvitation.revoke',
        `/organization-user-invitations/${invitation.id}`,
        changes,
      )
      return undefined
    })
  },
}
