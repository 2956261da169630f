import { Transform } from 'class-transformer'
import { ValidateBy } from 'class-validator'

// Written as escapes of four digits, which are replaced by the characters themselves where a client is told the pattern.
const spaces = String.raw` \u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff`
const breaks = String.raw`\u0009-\u000d\u0085\u2028\u2029`
const controls = String.raw`\u0001-\u001f\u007f-\u009f\u2028\u2029`
const invisible = String.raw`\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2061-\u206f\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8`
const inner = `[^${controls}${spaces}]`

/** Text without control characters, but for white space around it. */
const line = new RegExp(`^[${breaks}${spaces}]*(${inner}+([${spaces}]+${inner}+)*[${breaks}${spaces}]*)?$`)

/** Text with a character that leaves a mark. */
const visible = new RegExp(`[^${controls}${spaces}${invisible}]`)

const blank = new RegExp(`[${breaks}${spaces}]`)

/** Writes a text of one line as it is stored: composed (NFC), without white space around it, empty where nothing of it is visible. */
export function normalizeLine(text: string): string {
  if (!visible.test(text)) return ''
  let [start, end] = [0, text.length]
  while (blank.test(text[start])) start++
  while (blank.test(text[end - 1])) end--
  return text.slice(start, end).normalize('NFC')
}

/** A text of one line, which may be empty. */
export function IsSingleLine(): PropertyDecorator {
  return decorated(normalizeLine, [line], (text) => line.test(text))
}

/** A text of one line in which something is visible; of an empty one its length is told. */
export function IsNonEmptyLine(): PropertyDecorator {
  return decorated(normalizeLine, [line, visible], (text) => line.test(text))
}

/** The same for what others choose it by: a blank one is told to be blank. */
export function IsName(): PropertyDecorator {
  const stored = (text: string) => normalizeLine(text) || text
  return decorated(stored, [line, visible], (text) => line.test(text) && visible.test(text))
}

/** Stores a property as a line; the patterns are those that clients are told. */
function decorated(
  stored: (text: string) => string,
  patterns: RegExp[],
  fits: (text: string) => boolean,
): PropertyDecorator {
  const transform = Transform(({ value }) => (typeof value === 'string' ? stored(value) : value))
  const rule = ValidateBy({
    name: 'matches',
    constraints: patterns,
    validator: {
      validate: (value) => typeof value === 'string' && fits(value),
      defaultMessage: (args) =>
        `${args?.property} must not ${visible.test(args?.value) ? 'contain line breaks or other control characters' : 'be blank'}`,
    },
  })
  return (target, name) => {
    transform(target, name as string)
    rule(target, name)
  }
}
