import { IsInt, IsOptional, IsString, Length, Max, Min, Validate } from 'class-validator'
import { Check, Column, Entity, Index } from 'typeorm'
import { DiffersFrom, GivenWith } from './comparison-rules.ts'
import { Counted } from './identified.ts'
import { weekdays } from './settings.ts'
import { IsName } from './single-line.ts'
import { WallClock } from './wall-clock.ts'

/** The settings of an organization that its opening hours depend on. */
export interface OpeningCalendar {
  timezone: string
  workingDays: string[]
}

/** An office for meetings. Its opening hours are wall-clock hours in the organization's time zone. */
@Entity()
@Index('location:name', { synchronize: false })
@Index('location.name', { synchronize: false })
@Index('location.searchText', { synchronize: false })
@Check(`("officeOpenHour" IS NULL) = ("officeCloseHour" IS NULL) AND "officeCloseHour" <> "officeOpenHour"`)
export class Location extends Counted {
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

  /** The text that searches match; a trigger maintains it. */
  @Column('text', { select: false })
  readonly searchText: string

  /** The current or next opening period; undefined until `findOpening` has run. */
  private opening?: { opensAt: Date; closesAt: Date } | null

  get opensAt(): Date | null {
    return this.opening?.opensAt ?? null
  }

  get closesAt(): Date | null {
    return this.opening?.closesAt ?? null
  }

  /** Finds the first opening period, from yesterday's on, that ends after now; null where this runtime does not know the zone. */
  findOpening({ timezone, workingDays }: OpeningCalendar, now: Date): this {
    const clock = new WallClock(timezone)
    this.opening = clock.isKnown ? (this.periodAfter(clock, workingDays, now.getTime()) ?? null) : null
    return this
  }

  private periodAfter(clock: WallClock, workingDays: string[], now: number): typeof this.opening {
    const { officeOpenHour: from, officeCloseHour: to } = this
    if (from === null || to === null) return null
    const today = Math.floor(clock.wallTimeAt(now) / dayMs)
    // A zone that moved across the date line has skipped a day, so the next opening can be two weeks away.
    for (let number = today - 1; number <= today + 14; number += 1) {
      if (!workingDays.includes(weekdayOf(number))) continue
      const opensAt = clock.firstInstantOf(number * dayMs + from * hourMs)
      const closesAt = clock.firstInstantOf((to > from ? number : number + 1) * dayMs + to * hourMs)
      if (closesAt > now && closesAt > opensAt) return { opensAt: new Date(opensAt), closesAt: new Date(closesAt) }
    }
    return null
  }
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The name of a day by its number since 1 January 1970, a Thursday. */
function weekdayOf(number: number): string {
  return weekdays[(((number + 3) % 7) + 7) % 7]
}
