import { Transform } from 'class-transformer'
import { IsDate, IsNotEmpty, IsOptional, IsString, MaxLength, Validate, ValidateIf } from 'class-validator'
import { DateTime } from 'luxon'
import { Check, Column, Entity, Exclusion, ForeignKey, Index, ManyToOne } from 'typeorm'
import { Employee } from './employee.ts'
import { Owned } from './identified.ts'
import { instant, instantOrClock } from './instant.ts'
import { Above, Within } from './rules.ts'

/** An appointment: a window in which it may take place, and the moment in it once agreed. */
@Entity()
@ForeignKey(() => Employee, ['organizationId', 'employeeId'], ['organizationId', 'id'])
@Index(['organizationId', 'employeeId', 'id'])
@Index(['organizationId', 'dateFrom', 'id'])
@Index(['organizationId', 'dateTo', 'id'])
@Index(['organizationId', 'time'])
@Index('meeting.notes', { synchronize: false })
@Exclusion(
  'meeting:overlap',
  `USING gist ("employeeId" WITH =, tstzrange("dateFrom", "dateTo") WITH &&, "id" WITH <>) WHERE ("exclusive" AND "employeeId" IS NOT NULL)`,
)
@Check(`"dateFrom" < "dateTo" AND "time" BETWEEN "dateFrom" AND "dateTo"`)
export class Meeting extends Owned {
  @ManyToOne(() => Employee, { createForeignKeyConstraints: false })
  @ValidateIf((_, value) => value !== null)
  @IsNotEmpty()
  employee: Employee | null

  @Column('uuid', { nullable: true })
  employeeId: string | null = null

  @Column('timestamp with time zone', { precision: 3 })
  @Transform(instant)
  @IsDate()
  dateFrom: Date

  @Column('timestamp with time zone', { precision: 3 })
  @Transform(instant)
  @IsDate()
  @Validate(Above, ['dateFrom'])
  dateTo: Date

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  notes: string | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  @Transform(instantOrClock)
  @IsOptional()
  @IsDate()
  @Validate(Within, ['dateFrom', 'dateTo', /^1970-01-01/])
  time: Date | null = null

  /** Whether it lets no other of its employee overlap it: kept by a trigger, from the setting "meetingOverlap". */
  @Column('boolean', { default: false })
  readonly exclusive: boolean

  /** Whether `time` tells a time of day only, which is sent as that time on the first day of 1970. */
  get hasClockTime(): boolean {
    return (
      this.time instanceof Date &&
      !Number.isNaN(this.time.getTime()) &&
      this.time.toISOString().startsWith('1970-01-01')
    )
  }

  /** Moves a time of day to the day on which the window opens, as clocks in that timezone have it. */
  settleClockTime(timezone: string): void {
    const clock = DateTime.fromJSDate(this.time as Date, { zone: 'utc' })
    const day = DateTime.fromJSDate(this.dateFrom, { zone: timezone })
    this.time = day.set({ hour: clock.hour, minute: clock.minute, second: clock.second, millisecond: 0 }).toJSDate()
  }
}
