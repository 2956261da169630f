import { Transform } from 'class-transformer'
import { IsString, MaxLength, Validate, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator'
import { Column, Entity, ManyToOne, PrimaryColumn } from 'typeorm'
import type { Organization } from './organization.ts'

/** A BCP 47 tag of a known language with a two-letter code (ISO 639-1). */
@ValidatorConstraint({ name: 'languageTag' })
class LanguageTag implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return isLanguageTag(value)
  }

  defaultMessage(): string {
    return 'id must be a BCP 47 language tag with a language of ISO 639-1, such as "nl" or "nl-BE"'
  }
}

/** Implementations must support tags of 35 characters (RFC 5646 §4.4.1); longer ones are refused. */
const maxLength = 35

/** The syntax of a tag; only the server rejects three letters where two exist. */
const tagSyntax = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/

/** Made on first use, because loading the names takes 20 ms. */
let languages: Intl.DisplayNames | undefined

/** A working language of an organization. */
@Entity()
export class Language {
  static readonly recorded = { tenant: 'organizationId' }

  @ManyToOne('Organization', { nullable: false })
  organization: Organization

  @PrimaryColumn('uuid')
  organizationId: string

  @PrimaryColumn('text')
  @Transform(({ value }) => canonicalLanguage(value))
  @IsString()
  @MaxLength(maxLength)
  @Validate(LanguageTag, [tagSyntax], { context: { checksType: true } })
  id: string

  @Column('timestamp with time zone', { precision: 3 })
  createdAt: Date = new Date()
}

/** Whether a value is a language tag in canonical spelling whose language has a two-letter code. */
export function isLanguageTag(value: unknown): boolean {
  const tag = localeOf(value)?.baseName
  const primary = tag?.split('-')[0]
  languages ??= new Intl.DisplayNames('en', { type: 'language', fallback: 'none' })
  return tag === value && primary?.length === 2 && languages.of(primary) !== undefined
}

/** The canonical spelling of a language tag (`NL-be` → `nl-BE`). Any other value is returned unchanged. */
export function canonicalLanguage<T>(tag: T): T | string {
  return localeOf(tag)?.baseName ?? tag
}

/** Parses a tag. Values that are not short strings are excluded, because Intl would convert them to strings. */
function localeOf(tag: unknown): Intl.Locale | undefined {
  if (typeof tag !== 'string' || tag.length > maxLength) return undefined
  try {
    return new Intl.Locale(tag)
  } catch {
    return undefined
  }
}
