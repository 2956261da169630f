import { Transform } from 'class-transformer'
import { ValidateBy } from 'class-validator'

// These are four-digit escapes. The documentation replaces them by the characters themselves in patterns for clients.
const spaces = String.raw` \u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff`
const breaks = String.raw`\u0009-\u000d\u0085\u2028\u2029`
const controls = String.raw`\u0001-\u001f\u007f-\u009f\u2028\u2029`
const invisible = String.raw`\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2061-\u206f\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8`
const inner = `[^${controls}${spaces}]`

/** Text without control characters, except white space at its ends. */
const singleLine = new RegExp(`^[${breaks}${spaces}]*(${inner}+([${spaces}]+${inner}+)*[${breaks}${spaces}]*)?$`)

/** Text with at least one visible character. */
const visible = new RegExp(`[^${controls}${spaces}${invisible}]`)

const blank = new RegExp(`[${breaks}${spaces}]`)

/** The stored form of a single line: composed (NFC), without white space at its ends, empty without a visible character. */
export function normalizeLine(text: string): string {
  if (!visible.test(text)) return ''
  let [start, end] = [0, text.length]
  while (blank.test(text[start])) start++
  while (blank.test(text[end - 1])) end--
  return text.slice(start, end).normalize('NFC')
}

/** A single line of text, which can be empty. */
export function IsSingleLine(): PropertyDecorator {
  return lineRule(normalizeLine, [singleLine], (text) => singleLine.test(text))
}

/** A single line of text with a visible character. The length rule reports an empty one. */
export function IsNonEmptyLine(): PropertyDecorator {
  return lineRule(normalizeLine, [singleLine, visible], (text) => singleLine.test(text))
}

/** A name: a single line with a visible character. This rule itself reports a blank one. */
export function IsName(): PropertyDecorator {
  const normalize = (text: string) => normalizeLine(text) || text
  return lineRule(normalize, [singleLine, visible], (text) => singleLine.test(text) && visible.test(text))
}

/** Normalizes a property and validates it. The patterns are those that the documentation shows to clients. */
function lineRule(
  normalize: (text: string) => string,
  patterns: RegExp[],
  isValid: (text: string) => boolean,
): PropertyDecorator {
  const transform = Transform(({ value }) => (typeof value === 'string' ? normalize(value) : value))
  const rule = ValidateBy({
    name: 'matches',
    constraints: patterns,
    validator: {
      validate: (value) => typeof value === 'string' && isValid(value),
      defaultMessage: (args) =>
        `${args?.property} must not ${visible.test(args?.value) ? 'contain line breaks or other control characters' : 'be blank'}`,
    },
  })
  return (target, name) => {
    transform(target, name as string)
    rule(target, name)
  }
}
