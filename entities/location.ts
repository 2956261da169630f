import { IsInt, IsOptional, IsString, Length, Matches, Max, Min, Validate } from 'class-validator'
import { Check, Column, Entity, Index } from 'typeorm'
import { Owned } from './identified.ts'
import { Above, WithPeer } from './rules.ts'

/** An office where meetings are held; its hours are wall-clock hours in the organization's timezone. */
@Entity()
@Index('location:name', { synchronize: false })
@Index(['organizationId', 'name', 'id'])
@Index('location.name', { synchronize: false })
@Check(`("officeOpenHour" IS NULL) = ("officeCloseHour" IS NULL) AND "officeCloseHour" > "officeOpenHour"`)
export class Location extends Owned {
  @Column('text')
  @IsString()
  @Length(1, 255)
  @Matches(/\S/, { message: 'name must not be blank' })
  name: string

  @Column('smallint', { nullable: true })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(23)
  @Validate(WithPeer, ['officeCloseHour'])
  officeOpenHour: number | null = null

  @Column('smallint', { nullable: true })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(24)
  @Validate(WithPeer, ['officeOpenHour'])
  @Validate(Above, ['officeOpenHour'])
  officeCloseHour: number | null = null
}
