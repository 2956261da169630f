/** The name of a role. The application defines the roles. */
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
  /** The role of a caller who acts for every tenant, if there is one. */
  everyTenant?: Role
}

/** How rows and callers belong to tenants. */
export interface Tenancy {
  /** The property of an entity, and the column of "row_total", that holds the tenant's id. */
  column: string
  /** The noun for a tenant in messages, for example "organization". */
  name: string
  /** The claim of a token that names the tenant, for messages. */
  claim: string
}

/** The sender of a request. Every scope and every permission depends on it. */
export interface Caller {
  readonly role: Role
  readonly user: string | null
  readonly tenant: string | null
  /** A sentence on why the request has no tenant or no user, and a remedy. */
  readonly reason?: string
  /** The reason why the tenant is read-only; absent while the tenant may be changed. */
  readonly readOnlyReason?: string
  /** The id of the program that sends the request, where no person does. It has no user. */
  readonly program?: string
  /** The identity in the token. A user for it may not be stored yet. */
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
