import type { Caller, Role, Roles } from './caller.ts'
import type { Operation } from './operation.ts'
import type { Resource } from './resource.ts'

/** Everything about a caller that decides which operations it may use. */
interface Standing {
  role: Role
  isReadOnly: boolean
  isProgram: boolean
}

/** Decides which operations a caller may use. */
export class Permissions {
  constructor(readonly roles: Roles) {}

  /** The roles that may use an operation. */
  rolesOf({ may }: Pick<Operation, 'may'>): readonly Role[] {
    return may ?? this.roles.tenant
  }

  /** Whether an operation needs no token. */
  isPublic(operation: Pick<Operation, 'may'>): boolean {
    return this.rolesOf(operation).includes(this.roles.anonymous)
  }

  /** Whether callers without a tenant may use an operation. */
  isForGuests(operation: Pick<Operation, 'may'>): boolean {
    const { guest } = this.roles
    return guest !== undefined && this.rolesOf(operation).includes(guest)
  }

  allows(operation: Operation, caller: Pick<Caller, 'role' | 'readOnlyReason' | 'program'>): boolean {
    const { role, isReadOnly, isProgram } = this.standingOf(caller)
    return (
      this.rolesOf(operation).includes(role) &&
      !(operation.peopleOnly && isProgram) &&
      (!isReadOnly || this.isAllowedWhileReadOnly(operation))
    )
  }

  /** The part of a caller that `allows` reads. Callers of the same standing may use the same operations. */
  standingOf({ role, readOnlyReason, program }: Pick<Caller, 'role' | 'readOnlyReason' | 'program'>): Standing {
    return { role, isReadOnly: readOnlyReason !== undefined, isProgram: program !== undefined }
  }

  /** Whether an operation is for this kind of caller, a person or a program. */
  admits({ peopleOnly }: Pick<Operation, 'peopleOnly'>, { program }: Pick<Caller, 'program'>): boolean {
    return !peopleOnly || program === undefined
  }

  /** Whether the caller may read an item at its own path. */
  reads(resource: Resource, entity: object, caller: Caller): boolean {
    const path = resource.options.singleton ? '' : '/:id'
    const read = resource.operations.find((operation) => operation.method === 'GET' && operation.path === path)
    return read !== undefined && this.allows(read, { role: resource.viewer(entity, caller) })
  }

  /** A read-only tenant may read, use operations that concern no tenant, and use those that say so. */
  private isAllowedWhileReadOnly(operation: Operation): boolean {
    return operation.method === 'GET' || this.isForGuests(operation) || operation.allowedWhileReadOnly === true
  }

  /** Checks the roles that a resource names. @throws Error for an unknown role */
  check({ path, operations, options }: Resource): void {
    const { scope = { default: '' }, hidden = {}, masked = {}, named = {}, whole } = options
    const rows = Object.keys({ ...scope, ...hidden, ...masked, ...named }).filter((name) => name !== 'default')
    const names = operations.flatMap(({ may = [], refusals = {}, writes = {} }) => [
      ...may,
      ...Object.keys(refusals),
      ...Object.values(writes).flat(),
    ])
    const unknown = [...names, ...rows, ...(whole ? [whole.otherwise] : [])].find(
      (name) => !this.roles.all.includes(name),
    )
    if (unknown) throw new Error(`"${path}" names the role "${unknown}", which this API does not have.`)
  }
}
