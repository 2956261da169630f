import { IsByteLength, IsString, ValidateIf } from 'class-validator'
import { Column, Entity, ManyToOne, PrimaryColumn, VersionColumn } from 'typeorm'
import type { Organization } from './organization.ts'

export const maxFooterBytes = 20_000

/** The HTML at the end of every mail of an organization. It is sanitized before it is stored. */
@Entity()
export class MailFooter {
  static readonly recorded = { tenant: 'organizationId' }

  @ManyToOne('Organization', { nullable: false })
  organization: Organization

  @PrimaryColumn('uuid')
  organizationId: string

  @Column('text', { nullable: true })
  @ValidateIf((_, value) => value !== null)
  @IsString()
  @IsByteLength(0, maxFooterBytes, { message: 'mailFooter must be at most 20,000 bytes' })
  mailFooter: string | null = null

  @Column('timestamp with time zone', { precision: 3 })
  updatedAt: Date = new Date()

  @VersionColumn()
  version: number
}
