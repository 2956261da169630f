import { IsIn } from 'class-validator'
import { Entity, PrimaryColumn } from 'typeorm'
import { countryCodes, userAssignedCodes } from './country-codes.ts'

const names = new Map<string, Intl.DisplayNames>()

/** A country by its code of ISO 3166-1; served from memory, kept as rows so that addresses can point at it. */
@Entity()
export class Country {
  @PrimaryColumn('text')
  @IsIn(countryCodes)
  id: string

  /** Which language it is named in, as a BCP 47 tag. */
  language?: string

  /** The name as it was told before: looking it up takes longer than all else there is to a country. */
  private told?: string

  /** Whether its code is not assigned by ISO 3166-1 but by those who use it. */
  get userAssigned(): boolean {
    return userAssignedCodes.includes(this.id)
  }

  /** Its short name by the Unicode CLDR: "Nederland", not the long official form. */
  get name(): string {
    this.told ??= this.lookUp()
    return this.told
  }

  private lookUp(): string {
    const language = this.language ?? 'en'
    const display = names.get(language) ?? new Intl.DisplayNames(language, { type: 'region' })
    names.set(language, display)
    return display.of(this.id) ?? this.id
  }
}
