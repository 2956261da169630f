/** The name of a role; the application says which there are. */
export type Role = string

/** The roles of an application. */
export interface Roles {
  /** Every role, in the order in which the documentation names them. */
  all: readonly Role[]
  /** The roles within a tenant; they may use every operation that names no roles. */
  tenant: readonly Role[]
  /** The role of a request without a token. */
  anonymous: Role
  /** The role of a caller with a token who acts for no tenant, if there is one. */
  guest?: Role
}

/** How rows and callers belong to tenants. */
export interface Tenancy {
  /** The property of an entity, and the column of "row_total", that holds the tenant's id. */
  column: string
  /** What a tenant is called in messages, for example "organization". */
  name: string
  /** The claim of a token that names the tenant, for messages. */
  claim: string
}

/** Who sends a request: every scope and every permission depends on it. */
export interface Caller {
  readonly role: Role
  readonly user: string | null
  readonly tenant: string | null
  /** For a guest: why the request has no tenant, and what to do about it. */
  readonly reason?: string
  /** Why the tenant is read-only at present; absent while it may be changed. */
  readonly readOnlyReason?: string
  /** The identity in the token, whether a user is stored for it or not. */
  readonly bearer?: { readonly issuer: string; readonly subject: string; readonly tenant?: string }
}

/** The role and the tenant that a response was written for; null for callers without a tenant. */
export interface AnsweredAs {
  readonly role: Role
  readonly tenant: string | null
}

/** The key of a caller's share of the connections: the tenant, or else the caller. */
export function tenantOf({ tenant, user, bearer }: Caller): string {
  return tenant ?? user ?? (bearer ? `${bearer.issuer} ${bearer.subject}` : 'anonymous')
}
