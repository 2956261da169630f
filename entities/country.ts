import { IsIn } from 'class-validator'
import { Entity, PrimaryColumn } from 'typeorm'
import { countryCodes, userAssignedCodes } from './country-codes.ts'

const displayNames = new Map<string, Intl.DisplayNames>()

/** A country by its ISO 3166-1 code. It is served from memory; its row exists for the foreign keys of addresses. */
@Entity()
export class Country {
  @PrimaryColumn('text')
  @IsIn(countryCodes)
  id: string

  /** The language of its name, as a BCP 47 tag. */
  language?: string

  /** The name, cached because its lookup takes longer than the rest of a response. */
  private cachedName?: string

  /** Whether its code is user-assigned instead of assigned by ISO 3166-1. */
  get userAssigned(): boolean {
    return userAssignedCodes.includes(this.id)
  }

  /** The short name of the Unicode CLDR, such as "Nederland", not the long official form. */
  get name(): string {
    this.cachedName ??= this.findName()
    return this.cachedName
  }

  private findName(): string {
    const language = this.language ?? 'en'
    const display = displayNames.get(language) ?? new Intl.DisplayNames(language, { type: 'region' })
    displayNames.set(language, display)
    return display.of(this.id) ?? this.id
  }
}
