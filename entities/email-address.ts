import { ValidateBy } from 'class-validator'

const longest = 254

/**
 * RFC 5321 §4.1.2 without what mail programs read in different ways: no quotes, comments, address literals or control
 * characters, and nothing but ASCII. A domain of another script is written in its ASCII form (RFC 5890).
 */
const form =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{0,57}[A-Za-z0-9])$/

/** RFC 5321 §4.5.3.1.1: at most 64 characters stand before the "@". */
const localPart = /^.{1,64}@/

/** Whether a value is an email address, as every address in this system is written. */
export function isEmailAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longest && localPart.test(value) && form.test(value)
}

/** The one rule for addresses. Its arguments are the patterns that clients are told. */
export function IsEmailAddress(): PropertyDecorator {
  return ValidateBy({
    name: 'isEmail',
    constraints: [form, localPart],
    validator: {
      validate: isEmailAddress,
      defaultMessage: (args) =>
        `${args?.property} must be an email address in ASCII such as "ada@example.com", without quotes or comments; ` +
        'a domain of another script starts with "xn--"',
    },
  })
}
