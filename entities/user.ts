import { IsNotEmpty, ValidateIf } from 'class-validator'
import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { Identified } from './identified.ts'
import type { Organization } from './organization.ts'

/** Whether an address belongs to a member of an organization, another user aside, in SQL. The parameters are expressions. */
export function isMemberAddress(address: string, organization: string, other: string): string {
  return `EXISTS (SELECT FROM "organization_user" "member" JOIN "user" "person" ON "person"."id" = "member"."userId"
    WHERE "member"."organizationId" = ${organization} AND "member"."userId" IS DISTINCT FROM ${other}
      AND lower("person"."email") = lower(${address}))`
}

/**
 * The order of a user's active memberships, in SQL: the default organization first, then the oldest. A token without an
 * organization acts for the first. Both parameters are table aliases.
 */
export function membershipOrder(membership: string, user: string): string {
  return `(${membership}."organizationId" = ${user}."defaultOrganizationId") DESC NULLS LAST, ${membership}."joinedAt", ${membership}."id"`
}

/** A person who signs in, identified by the issuer and the subject of a token (RFC 7519). */
@Entity()
@Index(['issuer', 'subject'], { unique: true })
@Index('user.email', { synchronize: false })
export class User extends Identified {
  /** A change of a user concerns each organization that it is a member of. */
  static readonly recorded = { tenant: 'organizationId', through: { table: 'organization_user', key: 'userId' } }

  @Column('text')
  issuer: string

  @Column('text')
  subject: string

  @Column('text')
  name: string

  @Column('text', { nullable: true })
  email: string | null = null

  @Column('text', { nullable: true })
  locale: string | null = null

  /** When the token with the current name and email address was issued. A newer token changes them. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  claimsAt: Date | null = null

  /** The organization that the user acts for when its token names none. It is only read for the user itself. */
  @ManyToOne('Organization')
  @ValidateIf((_, value) => value !== undefined)
  @IsNotEmpty()
  defaultOrganization: Organization | null

  @Column('uuid', { nullable: true, select: false })
  defaultOrganizationId: string | null

  /** Whether the user runs the service and belongs to no tenant. */
  @Column('boolean')
  operator: boolean = false

  /** Removes the data about the person. No token has an empty issuer, so none names this user again. */
  erase(): this {
    const texts = { name: 'Erased user', email: null, locale: null }
    return Object.assign(this, { ...texts, issuer: '', subject: this.id, claimsAt: null, defaultOrganizationId: null })
  }
}
