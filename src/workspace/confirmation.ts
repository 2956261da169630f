import type { Organization } from '../../entities/index.ts'
import { ConstraintViolation } from '../hydra/index.ts'

/** @throws ConstraintViolation unless a confirmation is the slug of the organization */
export function requireSlug(confirm: string, { slug }: Organization): void {
  if (confirm === slug) return
  const message = 'confirm must be the slug of the organization.'
  throw new ConstraintViolation([{ propertyPath: 'confirm', message, code: 'isSlug' }])
}
