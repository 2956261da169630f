import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import { User } from './user.ts'

/** An invitation to join the organization, good for seven days; of its token only a hash is kept. */
@Entity()
@Index('organization_user_invitation:email', { synchronize: false })
@Index(['invitedById'])
export class OrganizationUserInvitation extends Owned {
  @Column('text')
  email: string

  @Column('text', { nullable: true })
  name: string | null = null

  @Column('text')
  role: 'member' | 'admin' | 'owner' = 'member'

  @Column('timestamp with time zone', { precision: 3 })
  expiresAt: Date

  @ManyToOne(() => User, { nullable: false })
  invitedBy: User

  @Column('uuid')
  invitedById: string

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  acceptedAt: Date | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  revokedAt: Date | null = null

  @Column('bytea', { select: false })
  tokenHash: Buffer

  get status(): 'pending' | 'accepted' | 'revoked' | 'expired' {
    if (this.acceptedAt) return 'accepted'
    if (this.revokedAt) return 'revoked'
    return this.expiresAt <= new Date() ? 'expired' : 'pending'
  }

  /** Takes the invitation back, so that its token opens nothing any more. */
  revoke(): this {
    this.revokedAt = new Date()
    return this
  }
}
