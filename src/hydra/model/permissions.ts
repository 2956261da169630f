import type { Caller, Role } from './caller.ts'
import { type Operation, tenantRoles } from './operation.ts'
import type { Resource } from './resource.ts'

/** Decides which operations a caller may use. */
export class Permissions {
  /** The roles that may use an operation. */
  rolesOf({ may }: Pick<Operation, 'may'>): readonly Role[] {
    return may ?? tenantRoles
  }

  allows(operation: Operation, { role, readOnlyReason }: Pick<Caller, 'role' | 'readOnlyReason'>): boolean {
    return this.rolesOf(operation).includes(role) && (readOnlyReason === undefined || isAllowedWhileReadOnly(operation))
  }

  /** Whether the caller may read an item at its own path. */
  reads(resource: Resource, entity: object, caller: Caller): boolean {
    const path = resource.options.singleton ? '' : '/:id'
    const read = resource.operations.find((operation) => operation.method === 'GET' && operation.path === path)
    return read !== undefined && this.allows(read, { role: resource.viewer(entity, caller) })
  }
}

/** A read-only tenant may read, use operations that concern no tenant, and use those that say so. */
function isAllowedWhileReadOnly({ method, may, allowedWhileReadOnly }: Operation): boolean {
  return method === 'GET' || may?.includes('guest') || allowedWhileReadOnly === true
}
