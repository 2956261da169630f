import type { OrganizationUserInvitation } from '../../entities/index.ts'

type Phrases = Record<OrganizationUserInvitation['role'], string>

/** A role as the words of an invitation name it, by language. */
export const rolePhrases: Record<'nl' | 'en', Phrases> = {
  nl: { member: 'lid', admin: 'beheerder', owner: 'eigenaar' },
  en: { member: 'a member', admin: 'an admin', owner: 'an owner' },
}
