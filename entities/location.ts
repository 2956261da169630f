import { IsInt, IsOptional, IsString, Length, Max, Min, Validate } from 'class-validator'
import { Check, Column, Entity, Index } from 'typeorm'
import { DiffersFrom, GivenWith } from './comparison-rules.ts'
import { Owned } from './identified.ts'
import { weekdays } from './settings.ts'
import { IsName } from './single-line.ts'
import { WallClock } from './wall-clock.ts'

/** What of an organization's settings its opening hours depend on. */
export interface OpeningCalendar {
  timezone: string
  workingDays: string[]
}

/** An office where meetings are held; its hours are wall-clock hours in the organization's timezone. */
@Entity()
@Index('location:name', { synchronize: false })
@Index('location.name', { synchronize: false })
@Index('location.searchText', { synchronize: false })
@Check(`("officeOpenHour" IS NULL) = ("officeCloseHour" IS NULL) AND "officeCloseHour" <> "officeOpenHour"`)
export class Location extends Owned {
  @Column('text')
  @IsString()
  @Length(1, 255)
  @IsName()
  name: string

  @Column('smallint', { nullable: true })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(23)
  @Validate(GivenWith, ['officeCloseHour'])
  officeOpenHour: number | null = null

  @Column('smallint', { nullable: true })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(24)
  @Validate(GivenWith, ['officeOpenHour'])
  @Validate(DiffersFrom, ['officeOpenHour'])
  officeCloseHour: number | null = null

  /** Its texts as they are searched: kept by a trigger. */
  @Column('text', { select: false })
  readonly searchText: string

  /** When it is open now, or next; known once somebody has looked at the calendar. */
  private opening?: { opensAt: Date; closesAt: Date } | null

  get opensAt(): Date | null {
    return this.opening?.opensAt ?? null
  }

  get closesAt(): Date | null {
    return this.opening?.closesAt ?? null
  }

  /** Finds the first period, from yesterday's on, that ends later than now; none where the zone is unknown to this runtime. */
  findOpening({ timezone, workingDays }: OpeningCalendar, now: Date): this {
    const clock = new WallClock(timezone)
    this.opening = clock.isKnown ? (this.periodAfter(clock, workingDays, now.getTime()) ?? null) : null
    return this
  }

  private periodAfter(clock: WallClock, workingDays: string[], now: number): typeof this.opening {
    const { officeOpenHour: from, officeCloseHour: to } = this
    if (from === null || to === null) return null
    const today = Math.floor(clock.wallTimeAt(now) / day)
    // A calendar can lack a day, where a zone moved across the date line: then the next is two weeks away.
    for (let number = today - 1; number <= today + 14; number += 1) {
      if (!workingDays.includes(weekdayOf(number))) continue
      const opensAt = clock.firstInstantOf(number * day + from * hour)
      const closesAt = clock.firstInstantOf((to > from ? number : number + 1) * day + to * hour)
      if (closesAt > now && closesAt > opensAt) return { opensAt: new Date(opensAt), closesAt: new Date(closesAt) }
    }
    return null
  }
}

const hour = 3_600_000
const day = 24 * hour

/** The name of a day by its number since 1970, which began on a Thursday. */
function weekdayOf(number: number): string {
  return weekdays[(((number + 3) % 7) + 7) % 7]
}
