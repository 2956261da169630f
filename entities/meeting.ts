import { Transform } from 'class-transformer'
import { IsDate, IsNotEmpty, IsOptional, IsString, MaxLength, Validate, ValidateIf } from 'class-validator'
import { Check, Column, Entity, Exclusion, ForeignKey, Index, JoinColumn, ManyToOne } from 'typeorm'
import { IsAbove, IsWithin } from './comparison-rules.ts'
import { Employee } from './employee.ts'
import { Counted } from './identified.ts'
import { parseInstant, parseInstantOrClockTime } from './instant.ts'
import type { WallClock } from './wall-clock.ts'

/** An appointment: a window in which it can take place, and the agreed moment within it. */
@Entity()
@ForeignKey(() => Employee, ['organizationId', 'employeeId'], ['organizationId', 'id'])
@Index(['organizationId', 'employeeId', 'id'])
@Index(['organizationId', 'dateFrom', 'id'])
@Index(['organizationId', 'dateTo', 'id'])
@Index(['organizationId', 'time'])
@Index('meeting.searchText', { synchronize: false })
@Exclusion(
  'meeting:overlap',
  `USING gist ("organizationId" WITH =, "employeeId" WITH =, tstzrange("dateFrom", "dateTo") WITH &&, "id" WITH <>) WHERE ("exclusive" AND "employeeId" IS NOT NULL)`,
)
@Check(`"dateFrom" < "dateTo" AND "time" BETWEEN "dateFrom" AND "dateTo"`)
export class Meeting extends Counted {
  @ManyToOne(() => Employee, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'employeeId', referencedColumnName: 'id' })
  @ValidateIf((_, value) => value !== null)
  @IsNotEmpty()
  employee: Employee | null

  @Column('uuid', { nullable: true })
  employeeId: string | null = null

  @Column('timestamp with time zone', { precision: 3 })
  @Transform(parseInstant)
  @IsDate()
  dateFrom: Date

  @Column('timestamp with time zone', { precision: 3 })
  @Transform(parseInstant)
  @IsDate()
  @Validate(IsAbove, ['dateFrom'])
  dateTo: Date

  @Column('text', { nullable: true })
  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  notes: string | null = null

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  @Transform(parseInstantOrClockTime)
  @IsOptional()
  @IsDate()
  @Validate(IsWithin, ['dateFrom', 'dateTo', /^1970-01-01/])
  time: Date | null = null

  /**
   * Whether no other meeting of its employee may overlap it. Writes of the meeting and of the setting "meetingOverlap" set it. It is
   * not read: after a read, the setting can change.
   */
  @Column('boolean', { default: false, select: false })
  exclusive: boolean

  /** The text that searches match; a trigger maintains it. */
  @Column('text', { select: false })
  readonly searchText: string

  /** Whether another state of the meeting has the same employee and window: a change to it overlaps no further meeting. */
  isAsPlanned({ employeeId, dateFrom, dateTo }: Meeting): boolean {
    return employeeId === this.employeeId && +dateFrom === +this.dateFrom && +dateTo === +this.dateTo
  }

  /** Replaces a clock time by the first moment within the window at which a wall clock of the zone shows it. */
  resolveClockTime(clock: WallClock): void {
    const [from, to] = [this.dateFrom.getTime(), this.dateTo.getTime()]
    const time = (this.time as Date).getTime()
    const today = Math.floor(clock.wallTimeAt(from) / dayMs) * dayMs
    // Two days hold every time of day, except around a clock change, which can skip one. So four days are searched.
    const shown = [-1, 0, 1, 2].map((days) => today + days * dayMs + time)
    const isWithin = (moment: number) => moment >= from && moment <= to
    const moments = [
      ...shown.flatMap((one) => clock.instantsOf(one)),
      ...shown.map((one) => clock.intendedInstant(one)),
    ]
    this.time = new Date(moments.find(isWithin) ?? clock.intendedInstant(today + time))
  }
}

const dayMs = 86_400_000
