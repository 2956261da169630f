import { IsByteLength, IsString, ValidateIf } from 'class-validator'
import { Column, Entity, ManyToOne, PrimaryColumn, VersionColumn } from 'typeorm'
import type { Organization } from './organization.ts'

/** How many bytes of HTML there may be. */
export const maxFooterBytes = 20_000

/** The HTML that closes every mail an organization sends; kept clean, at most 20 kB. */
@Entity()
export class MailFooter {
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
