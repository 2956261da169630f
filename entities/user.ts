import { IsNotEmpty, ValidateIf } from 'class-validator'
import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { Identified } from './identified.ts'
import type { Organization } from './organization.ts'

/** Whether an address belongs to a member of an organization other than one user, in SQL; all three are expressions. */
export function isMemberAddress(address: string, organization: string, other: string): string {
  return `EXISTS (SELECT FROM "organization_user" "member" JOIN "user" "person" ON "person"."id" = "member"."userId"
    WHERE "member"."organizationId" = ${organization} AND "member"."userId" IS DISTINCT FROM ${other}
      AND lower("person"."email") = lower(${address}))`
}

/**
 * The order, in SQL, in which the active memberships of a user are acted for while its token names no organization: the default
 * first, then the oldest. Both are aliases.
 */
export function membershipOrder(membership: string, user: string): string {
  return `(${membership}."organizationId" = ${user}."defaultOrganizationId") DESC NULLS LAST, ${membership}."joinedAt", ${membership}."id"`
}

/** A person who signs in; who that is, is told by the issuer and the subject of a token (RFC 7519). */
@Entity()
@Index(['issuer', 'subject'], { unique: true })
@Index('user.email', { synchronize: false })
export class User extends Identified {
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

  /** When the token was issued that the name and the address are from; a newer one changes them. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  claimsAt: Date | null = null

  /** What it acts for where its token names no organization; read only where it is shown to the user itself. */
  @ManyToOne('Organization')
  @ValidateIf((_, value) => value !== undefined)
  @IsNotEmpty()
  defaultOrganization: Organization | null

  @Column('uuid', { nullable: true, select: false })
  defaultOrganizationId: string | null

  /** Runs the service itself and stands outside every tenant. */
  @Column('boolean')
  operator: boolean = false
}
