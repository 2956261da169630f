import {
  isIn,
  isURL,
  type ValidationArguments,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator'
import { canonicalLanguage, isLanguageTag } from './language.ts'
import { isTimeZone } from './time-zones.ts'

interface Setting {
  default: unknown
  /** The description of valid values, to follow "must be". */
  schema: string
  accepts(value: unknown): boolean
  /** Returns the canonical spelling of a value that has several. */
  canonical?(value: unknown): unknown
}

/** The days of the week as the setting "workingDays" names them, in the order of ISO 8601. */
export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']

const language = (tag: string): Setting => ({
  default: tag,
  schema: 'a language tag such as "nl" or "nl-BE"',
  accepts: (value) => isLanguageTag(value),
  canonical: canonicalLanguage,
})

const oneOf = (values: string[]): Setting => ({
  default: values[0],
  schema: `one of ${values.join(', ')}`,
  accepts: (value) => isIn(value, values),
})

/** All settings of an organization, each with its default and its schema. */
export const settings: Record<string, Setting> = {
  currency: {
    default: 'EUR',
    schema: 'a currency code of ISO 4217',
    accepts: (value) => isIn(value, Intl.supportedValuesOf('currency')),
  },
  language: language('nl'),
  legalLanguage: language('nl'),
  timezone: {
    default: 'Europe/Amsterdam',
    schema:
      'a name or alias of the IANA time zone database, spelled as there, such as "Europe/Amsterdam", and no offset',
    accepts: isTimeZone,
  },
  dateFormat: oneOf(['dd-MM-yyyy', 'dd/MM/yyyy', 'dd.MM.yyyy', 'MM/dd/yyyy', 'yyyy-MM-dd']),
  workingDays: {
    default: weekdays.slice(0, 5),
    schema: `a list of different days among ${weekdays.join(', ')}`,
    accepts: (value) =>
      Array.isArray(value) &&
      value.length <= weekdays.length &&
      new Set(value).size === value.length &&
      value.every((day) => weekdays.includes(day)),
  },
  website: {
    default: null,
    schema: 'an http or https URL of at most 2,000 characters, or null',
    accepts: (value) =>
      value === null ||
      (typeof value === 'string' &&
        value.length <= 2000 &&
        isURL(value, { protocols: ['http', 'https'], require_protocol: true })),
  },
  meetingOverlap: oneOf(['allow', 'reject']),
}

/** The value of a setting must match the schema of its key. */
@ValidatorConstraint({ name: 'setting' })
export class SettingValue implements ValidatorConstraintInterface {
  validate(value: unknown, { object }: ValidationArguments): boolean {
    return settings[(object as { key: string }).key].accepts(value)
  }

  defaultMessage({ object }: ValidationArguments): string {
    const { key } = object as { key: string }
    return `value of ${key} must be ${settings[key].schema}`
  }
}
