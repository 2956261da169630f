import { ValidateBy } from 'class-validator'

const maxLength = 254

/**
 * RFC 5321 §4.1.2 without the parts that mail programs read differently: no quotes, comments, address literals or control
 * characters, and ASCII only. A domain in another script is written in its ASCII form (RFC 5890).
 */
const pattern =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{0,57}[A-Za-z0-9])$/

/** RFC 5321 §4.5.3.1.1: at most 64 characters stand before the "@". */
const localPart = /^.{1,64}@/

/** Whether a value is an email address that this system accepts. */
export function isEmailAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxLength && localPart.test(value) && pattern.test(value)
}

/** The rule for email addresses. Its constraints are the patterns that the documentation shows to clients. */
export function IsEmailAddress(): PropertyDecorator {
  return ValidateBy({
    name: 'isEmail',
    constraints: [pattern, localPart],
    validator: {
      validate: isEmailAddress,
      defaultMessage: (args) =>
        `${args?.property} must be an email address in ASCII such as "ada@example.com", without quotes or comments; ` +
        'a domain of another script starts with "xn--"',
    },
  })
}
