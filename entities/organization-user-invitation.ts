import { IsIn, IsOptional, IsString, Length, MaxLength, ValidateIf } from 'class-validator'
import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { IsEmailAddress } from './email-address.ts'
import { Owned } from './identified.ts'
import { IsName } from './single-line.ts'
import { User } from './user.ts'

/** How long an invitation is valid. */
const validForMs = 7 * 24 * 60 * 60 * 1000

/** An invitation to join the organization, valid for seven days. Only a hash of its token is stored. */
@Entity()
@Index('organization_user_invitation:email', { synchronize: false })
@Index(['invitedById'])
@Index(['acceptedById'])
@Index(['tokenHash'], { unique: true })
export class OrganizationUserInvitation extends Owned {
  @Column('text')
  @IsString()
  @IsEmailAddress()
  @MaxLength(254)
  email: string

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @Length(1, 255)
  @IsName()
  name: string | null = null

  @Column('text')
  @ValidateIf((_, value) => value !== undefined)
  @IsIn(['member', 'admin', 'owner'])
  role: 'member' | 'admin' | 'owner' = 'member'

  @Column('timestamp with time zone', { precision: 3 })
  expiresAt: Date

  @ManyToOne(() => User, { nullable: false })
  invitedBy: User

  @Column('uuid')
  invitedById: string

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  acceptedAt: Date | null = null

  /** The user who became a member with it, whichever address it was sent to. */
  @ManyToOne(() => User)
  acceptedBy: User | null

  @Column('uuid', { nullable: true })
  acceptedById: string | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  revokedAt: Date | null = null

  @Column('bytea', { select: false })
  tokenHash: Buffer

  get status(): 'pending' | 'accepted' | 'revoked' | 'expired' {
    if (this.acceptedAt) return 'accepted'
    if (this.revokedAt) return 'revoked'
    return this.expiresAt <= new Date() ? 'expired' : 'pending'
  }

  /** Whether it can be sent again: it is neither accepted nor revoked. */
  get isOpen(): boolean {
    return this.acceptedAt === null && this.revokedAt === null
  }

  /** Makes it valid for seven days from now. Only the token of this hash opens it, and this inviter's role limits its role. */
  renew(tokenHash: Buffer, invitedById: string): this {
    this.tokenHash = tokenHash
    this.invitedById = invitedById
    this.expiresAt = new Date(Date.now() + validForMs)
    return this
  }

  /** Accepts it for a user. Its token then works for no other user. */
  accept(acceptedById: string): this {
    this.acceptedAt = new Date()
    this.acceptedById = acceptedById
    return this
  }

  /** Revokes it. Its token stops working. */
  revoke(): this {
    this.revokedAt = new Date()
    return this
  }

  /** Removes the data about the invited person. */
  erase(): this {
    this.email = 'erased@erased.invalid'
    this.name = null
    return this
  }
}
