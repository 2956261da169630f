import { IsIn, IsNotEmpty, IsOptional, IsString, Length, Matches, MaxLength } from 'class-validator'
import { Column, Entity, Index, ManyToOne } from 'typeorm'
import { Country } from './country.ts'
import { Owned } from './identified.ts'

/** Where an organization is billed, visited or written to. */
@Entity()
@Index(['countryId'])
export class OrganizationAddress extends Owned {
  @Column('text')
  @IsIn(['billing', 'visiting', 'postal'])
  kind: string

  @Column('text')
  @IsString()
  @Length(1, 255)
  @Matches(/\S/, { message: 'name must not be blank' })
  name: string

  @Column('text')
  @IsString()
  @Length(1, 255)
  street: string

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @MaxLength(20)
  houseNumber: string | null = null

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @MaxLength(20)
  postalCode: string | null = null

  @Column('text')
  @IsString()
  @Length(1, 255)
  city: string

  @ManyToOne(() => Country, { nullable: false })
  @IsNotEmpty()
  country: Country

  @Column('text')
  countryId: string

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @MaxLength(30)
  vatNumber: string | null = null
}
