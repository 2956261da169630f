/** The IRI of an invitation: the target of its audit events, and the key by which its mails are withdrawn. */
export function invitationIri({ id }: { id: string }): string {
  return `/organization-user-invitations/${id}`
}

/** The path of the page on which a person accepts an invitation. */
export const invitationPath = '/invitation'
