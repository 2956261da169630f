import { IsBoolean, IsOptional, IsString, Length, MaxLength, ValidateIf } from 'class-validator'
import { Column, Entity, ForeignKey, Index, JoinColumn, ManyToOne } from 'typeorm'
import { IsEmailAddress } from './email-address.ts'
import { Counted } from './identified.ts'
import { Location } from './location.ts'
import { IsName, IsSingleLine } from './single-line.ts'
import { User } from './user.ts'

/** A person who works for the organization, with or without a user account. */
@Entity()
@ForeignKey(() => Location, ['organizationId', 'locationId'], ['organizationId', 'id'])
@Index(['organizationId', 'userId'])
@Index(['organizationId', 'locationId'])
@Index('employee.name', { synchronize: false })
@Index('employee.email', { synchronize: false })
@Index('employee.searchText', { synchronize: false })
export class Employee extends Counted {
  @Column('text')
  @IsString()
  @Length(1, 255)
  @IsName()
  name: string

  @Column('text', { nullable: true })
  @IsOptional()
  @IsEmailAddress()
  @MaxLength(254)
  email: string | null = null

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @IsSingleLine()
  @MaxLength(50)
  phone: string | null = null

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @IsSingleLine()
  @MaxLength(255)
  jobTitle: string | null = null

  @ManyToOne(() => User)
  @IsOptional()
  user: User | null

  @Column('uuid', { nullable: true })
  userId: string | null = null

  @ManyToOne(() => Location, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'locationId', referencedColumnName: 'id' })
  @IsOptional()
  location: Location | null

  @Column('uuid', { nullable: true })
  locationId: string | null = null

  @Column('boolean')
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  active: boolean = true

  /** When the data about the person was erased; null unless it was. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  erasedAt: Date | null = null

  /** The text that searches match; a trigger maintains it. */
  @Column('text', { select: false })
  readonly searchText: string

  /** Removes the data about the person. The row stays, because meetings refer to it. */
  erase(): this {
    const texts = { name: 'Erased employee', email: null, phone: null, jobTitle: null }
    return Object.assign(this, { ...texts, userId: null, active: false, erasedAt: new Date() })
  }
}
