import type { Employee, Organization, User } from '../../entities/index.ts'
import { ConstraintViolation } from '../hydra/index.ts'

/** @throws ConstraintViolation unless a confirmation is the slug of the organization */
export function requireSlug(confirm: string, { slug }: Organization): void {
  if (confirm !== slug) throw refusal('the slug of the organization', 'isSlug')
}

/** @throws ConstraintViolation unless a confirmation is the name of the employee */
export function requireName(confirm: string, { name }: Employee): void {
  if (confirm !== name) throw refusal('the name of the employee', 'isName')
}

/** @throws ConstraintViolation unless a confirmation is the user's email address, or the name of a user without one */
export function requireAddress(confirm: string, { name, email }: User): void {
  if (email === null && confirm !== name) throw refusal('your name, because you have no email address here', 'isName')
  if (email !== null && confirm.toLowerCase() !== email.toLowerCase())
    throw refusal('your email address', 'isEmailAddress')
}

function refusal(expected: string, code: string): ConstraintViolation {
  return new ConstraintViolation([{ propertyPath: 'confirm', message: `confirm must be ${expected}.`, code }])
}
