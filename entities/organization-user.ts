import { IsIn, ValidateIf } from 'class-validator'
import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { Owned } from './identified.ts'
import { User } from './user.ts'

type Role = 'member' | 'admin' | 'owner'

/** The roles that a member may give to others, by its own role. */
const grantable: Record<Role, readonly Role[]> = {
  member: [],
  admin: ['member', 'admin'],
  owner: ['member', 'admin', 'owner'],
}

/** Members in these roles may create API keys. */
const keyCreators: readonly Role[] = ['admin', 'owner']

/** The members that may create API keys, in SQL; the getter `createsKeys` says the same of one. */
export function createsKeysCondition(member: string): string {
  const roles = keyCreators.map((role) => `'${role}'`).join(', ')
  return `"${member}"."status" = 'active' AND "${member}"."role" IN (${roles})`
}

/** The membership of a user in an organization. */
@Entity()
@Index(['organizationId', 'userId'], { unique: true })
@Index(['userId'])
export class OrganizationUser extends Owned {
  @ManyToOne(() => User, { nullable: false })
  user: User

  @Column('uuid')
  userId: string

  @Column('text')
  name: string

  @Column('text')
  @ValidateIf((_, value) => value !== undefined)
  @IsIn(['member', 'admin', 'owner'])
  role: Role = 'member'

  @Column('text')
  @ValidateIf((_, value) => value !== undefined)
  @IsIn(['active', 'suspended'])
  status: 'active' | 'suspended' = 'active'

  @Column('timestamp with time zone', { precision: 3 })
  joinedAt: Date = new Date()

  /** Every organization needs at least one active owner. */
  get isActiveOwner(): boolean {
    return this.role === 'owner' && this.status === 'active'
  }

  /** Whether it may create API keys, and keep those that it has created. */
  get createsKeys(): boolean {
    return this.status === 'active' && keyCreators.includes(this.role)
  }

  /** Whether it may create webhook endpoints of a role, and keep those that it has created. */
  createsEndpoints(role: Role): boolean {
    return this.createsKeys && (this.role === 'owner' || role !== 'owner')
  }

  /** The roles that an invitation of this member may give; none while the member is suspended. */
  get grantableRoles(): readonly Role[] {
    return this.status === 'active' ? grantable[this.role] : []
  }
}
