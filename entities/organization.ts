import anyAscii from 'any-ascii'
import { Type } from 'class-transformer'
import { IsBoolean, IsIn, IsNotIn, IsOptional, IsString, Length, Matches, MaxLength, ValidateIf } from 'class-validator'
import { Check, Column, Entity, ForeignKey, Index, OneToMany } from 'typeorm'
import { Identified } from './identified.ts'
import { Image } from './image.ts'
import type { OrganizationAddress } from './organization-address.ts'
import type { OrganizationConfig } from './organization-config.ts'
import type { OrganizationModule } from './organization-module.ts'
import type { OrganizationUser } from './organization-user.ts'
import type { OrganizationUserInvitation } from './organization-user-invitation.ts'
import { IsName } from './single-line.ts'
import { Subscription } from './subscription.ts'

/** Slugs that no organization may have, because paths or hosts of the service use them. */
export const reservedSlugs = [
  'admin',
  'api',
  'app',
  'contexts',
  'docs',
  'errors',
  'health',
  'help',
  'metrics',
  'new',
  'status',
  'www',
]

/** Whether an organization can be read but not changed, in SQL on its row. */
export const readOnlyCondition = `"status" IN ('suspended', 'closed')`

/** A tenant: the workspace of one service company. */
@Entity()
@Index('organization.name', { synchronize: false })
@Index(['createdAt', 'id'])
@Index('organization.unready', { synchronize: false })
@Index('organization.leaving', { synchronize: false })
@Check(`NOT ("manualBilling" AND "stripeCustomerId" IS NOT NULL)`)
export class Organization extends Identified {
  static readonly recorded = { tenant: 'organizationId', from: 'id' }

  @Column('text')
  @ValidateIf((_, value) => value !== undefined)
  @IsIn(['company', 'personal', 'partner'])
  type: string = 'company'

  @Column('text')
  @ValidateIf((_, value) => value !== undefined)
  @IsIn(['provisioning', 'active', 'suspended', 'closed'])
  status: string = 'active'

  @Column('text')
  @IsString()
  @Length(1, 255)
  @IsName()
  name: string

  @Column('text')
  @Index({ unique: true })
  @ValidateIf((_, value) => value !== undefined)
  @IsString()
  @MaxLength(63)
  @Matches(/^[a-z0-9](-?[a-z0-9])*$/, { message: 'slug must consist of lower-case letters, digits and single hyphens' })
  @IsNotIn(reservedSlugs, { message: 'slug is a reserved word' })
  slug: string

  @Column('text', { nullable: true })
  @Index({ unique: true })
  @IsOptional()
  @IsString()
  @MaxLength(255)
  @Matches(/^cus_\w+$/, { message: 'stripeCustomerId must be the id of a Stripe customer (cus_…)' })
  stripeCustomerId: string | null = null

  @Column('boolean')
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  manualBilling: boolean = false

  @Column('jsonb', { nullable: true })
  @Type(() => Array)
  databaseStatus: { name: string; status: string; updatedAt: string }[] | null = null

  @OneToMany('OrganizationUser', 'organization')
  organizationUsers: OrganizationUser[]

  @OneToMany('OrganizationUserInvitation', 'organization')
  organizationUserInvitations: OrganizationUserInvitation[]

  @OneToMany('OrganizationModule', 'organization')
  organizationModules: OrganizationModule[]

  @OneToMany('Subscription', 'organization')
  subscriptions: Subscription[]

  @OneToMany('OrganizationConfig', 'organization')
  organizationConfigs: OrganizationConfig[]

  @OneToMany('OrganizationAddress', 'organization')
  organizationAddresses: OrganizationAddress[]

  @Column('boolean')
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  demo: boolean = false

  @Column('boolean')
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  productionLike: boolean = !this.demo

  /** The live subscription. No column holds it: the unique index `subscription:live` allows one. */
  @Type(() => Subscription)
  currentSubscription: Subscription | null

  /** SQL computes it for responses. Other code calls `findLiveSubscription`. */
  currentSubscriptionId?: string | null

  @Column('text', { nullable: true })
  @ForeignKey(() => Image)
  @Index()
  logoId: string | null = null

  @Column('text', { nullable: true })
  @ForeignKey(() => Image)
  @Index()
  iconId: string | null = null

  /** When a job deletes its data; null unless an owner has closed it. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  deleteAt: Date | null = null

  /** When the deletion began. Nothing brings the organization back from then on. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  deletedAt: Date | null = null

  /** Whether an owner may close it. */
  get canBeClosed(): boolean {
    return this.status === 'active' || this.status === 'provisioning'
  }

  /** Whether an owner has closed it and can still reopen it. The operator alone reopens what the operator has closed. */
  get canBeReopened(): boolean {
    return this.status === 'closed' && this.deleteAt !== null && this.deletedAt === null
  }

  close(deleteAt: Date): this {
    return Object.assign(this, { status: 'closed', deleteAt })
  }

  /** Defaults that a job has not made yet are made after that. */
  reopen(): this {
    return Object.assign(this, { status: this.databaseStatus === null ? 'active' : 'provisioning', deleteAt: null })
  }

  /** Keeps the date of the deletion only while it is closed: the operator may reopen or suspend it. */
  settle(): void {
    if (this.status !== 'closed') this.deleteAt = null
  }

  /** The public path of its logo. */
  get logo(): string | null {
    return imagePath(this.logoId)
  }

  get icon(): string | null {
    return imagePath(this.iconId)
  }

  /** Only a demo, or an organization that is not production-like, may be cleared. */
  get canBeCleared(): boolean {
    return this.demo || !this.productionLike
  }
}

function imagePath(image: string | null): string | null {
  return image && `/images/${image}`
}

/** The default slug of a name: its words in ASCII, joined by hyphens, at most 63 characters. */
export function slugOf(name: string): string {
  const words =
    anyAscii(name)
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  return words.join('-').slice(0, 63).replace(/-$/, '') || 'organization'
}
