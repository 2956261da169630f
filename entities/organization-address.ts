import { IsIn, IsNotEmpty, IsOptional, IsString, Length, MaxLength } from 'class-validator'
import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { Country } from './country.ts'
import { Owned } from './identified.ts'
import { IsName, IsNonEmptyLine, IsSingleLine } from './single-line.ts'

/** An address of an organization: for invoices, visits or post. */
@Entity()
@Index(['countryId'])
export class OrganizationAddress extends Owned {
  @Column('text')
  @IsIn(['billing', 'visiting', 'postal'])
  kind: string

  @Column('text')
  @IsString()
  @Length(1, 255)
  @IsName()
  name: string

  @Column('text')
  @IsString()
  @Length(1, 255)
  @IsNonEmptyLine()
  street: string

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @IsSingleLine()
  @MaxLength(20)
  houseNumber: string | null = null

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @IsSingleLine()
  @MaxLength(20)
  postalCode: string | null = null

  @Column('text')
  @IsString()
  @Length(1, 255)
  @IsNonEmptyLine()
  city: string

  @ManyToOne(() => Country, { nullable: false })
  @IsNotEmpty()
  country: Country

  @Column('text')
  countryId: string

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @IsSingleLine()
  @MaxLength(30)
  vatNumber: string | null = null
}
