import { IsInt, IsOptional, IsString, Length, Matches, Max, Min, Validate } from 'class-validator'
import { DateTime } from 'luxon'
import { Check, Column, Entity, Index } from 'typeorm'
import { Owned } from './identified.ts'
import { Above, WithPeer } from './rules.ts'
import { weekdays } from './settings.ts'

/** What of an organization's settings its opening hours depend on. */
export interface Calendar {
  timezone: string
  workingDays: string[]
}

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

  /** When it is open now, or next; known once somebody has looked at the calendar. */
  private opening?: { opensAt: Date; closesAt: Date } | null

  get opensAt(): Date | null {
    return this.opening?.opensAt ?? null
  }

  get closesAt(): Date | null {
    return this.opening?.closesAt ?? null
  }

  /** Finds the first working day, from today on, on which it closes later than now, as clocks there have it. */
  look({ timezone, workingDays }: Calendar, now: Date): this {
    const { officeOpenHour: from, officeCloseHour: to } = this
    const today = DateTime.fromJSDate(now, { zone: timezone }).startOf('day')
    const periods = Array.from({ length: 8 }, (_, days) => today.plus({ days }))
      .filter(({ weekday }) => from !== null && to !== null && workingDays.includes(weekdays[weekday - 1]))
      .map((day) => ({ opensAt: clock(day, from as number), closesAt: clock(day, to as number) }))
    this.opening = periods.find(({ closesAt }) => closesAt > now) ?? null
    return this
  }
}

/** Midnight at the end of a day is the beginning of the next; an hour that clocks leave out is the one after it. */
function clock(day: DateTime, hour: number): Date {
  return (hour === 24 ? day.plus({ days: 1 }) : day.set({ hour })).toJSDate()
}
