/** Who may stand behind a request; a guest is signed in but acts for no organization. */
export const roles = ['anonymous', 'guest', 'member', 'admin', 'owner', 'operator'] as const

export type Role = (typeof roles)[number]

/** Whose share of the connections a caller's requests use: the organization's, else its own. */
export function tenantOf({ tenant, user, bearer }: Caller): string {
  return tenant ?? user ?? (bearer ? `${bearer.issuer} ${bearer.subject}` : 'anonymous')
}

/** Who is asking: what every scope and every permission is decided by. */
export interface Caller {
  readonly role: Role
  readonly user: string | null
  readonly tenant: string | null
  /** For a guest: why no organization could be told, and what to do about it. */
  readonly reason?: string
  /** Why nothing of its organization may be changed at present; absent while it may. */
  readonly readOnlyReason?: string
  /** As whom the token names the caller, whether there is a user yet or not. */
  readonly bearer?: { readonly issuer: string; readonly subject: string; readonly tenant?: string }
}

/** In which role of which tenant something was answered; without a tenant for those who act for none. */
export interface AnsweredAs {
  readonly role: Role
  readonly tenant: string | null
}
