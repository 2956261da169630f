import { listRoleOf } from '../../src/postgres/row-security.ts'
import { type Values, withPassword } from './environment.ts'

/** The roles that a file of SQL makes. */
export function rolesOf(sql: string): string[] {
  return [...sql.matchAll(/^CREATE ROLE (\w+)/gm)].map(([, role]) => role)
}

/** A server that connects as the owner would see the rows of every tenant, and the role of lists is found by its name. */
export function serverRoleFaults(values: Values, roles: string[]): string[] {
  const role = roleOf(values.DATABASE_URL)
  return [
    ...('DATABASE_OWNER_URL' in values ? ['A server must not have the address of the owner.'] : []),
    ...(role === undefined ? [] : [role, listRoleOf(role)].filter((each) => !roles.includes(each)).map(unknown)),
  ]
}

/** The process that migrates has both addresses, for different roles. */
export function migrationRoleFaults(values: Values, roles: string[]): string[] {
  if (!('DATABASE_OWNER_URL' in values)) return ['The migration needs DATABASE_OWNER_URL.']
  const [server, owner] = [roleOf(values.DATABASE_URL), roleOf(values.DATABASE_OWNER_URL)]
  if (server === undefined || owner === undefined) return []
  if (owner === server) return ['The owner and the server must be two roles.']
  return roles.includes(owner) ? [] : [unknown(owner)]
}

/** The role of an address; undefined for an address that is secret. */
function roleOf(url: string): string | undefined {
  return url ? new URL(withPassword(url) as string).username : undefined
}

function unknown(role: string): string {
  return `roles.sql makes no role ${role}.`
}
