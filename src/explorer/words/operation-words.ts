import type { Api, Operation, Resource } from '../../hydra/index.ts'

/** A page's language, and the API whose operations it names. */
interface Naming {
  api: Api
  tag: string
}

/** The titles of the engine's own operations, by language and by the name of the operation. English titles are their own. */
const genericTitles: Record<string, Record<string, (label: string, plural: string) => string>> = {
  nl: {
    list: (_label, plural) => `${plural} opvragen`,
    read: (label) => `${label} opvragen`,
    create: (label) => `${label} toevoegen`,
    update: (label) => `${label} wijzigen`,
    remove: (label) => `${label} verwijderen`,
  },
}

/** The names of roles for people, by language. A role without one keeps its own. */
const roleNames: Record<string, Record<string, string>> = {
  nl: { guest: 'gast', member: 'lid', admin: 'beheerder', owner: 'eigenaar', operator: 'operator' },
}

/** The sentence about the roles of an operation, by language. */
const accessWords: Record<string, { noToken: string; anyToken: string; roles(names: string): string }> = {
  en: {
    noToken: 'Needs no token.',
    anyToken: 'With any token, also one that acts for no organization.',
    roles: (names) => `For: ${names}.`,
  },
  nl: {
    noToken: 'Zonder token.',
    anyToken: 'Met elk token, ook een dat voor geen organisatie werkt.',
    roles: (names) => `Voor: ${names}.`,
  },
}

/** The name of a role for people. */
export function roleName(tag: string, role: string): string {
  return roleNames[tag]?.[role] ?? role
}

/** The title of an operation in a language. */
export function operationTitle(naming: Naming, { name: resource }: Resource, { name, title }: Operation): string {
  return titleIn(naming, { resource, name, title: title(resource) })
}

/** The title of an operation in a language, by the names of its resource and of itself. */
export function titleIn(
  { api: { labels }, tag }: Naming,
  { resource, name, title }: { resource: string; name: string; title: string },
): string {
  if (tag === labels.defaultLanguage) return title
  const generic = genericTitles[tag]?.[name]?.(labels.label(tag, resource), labels.plural(tag, resource))
  return labels.operation(tag, resource, name).title ?? generic ?? title
}

/** The details of an operation in a language, if it has any. */
export function detailsIn(
  { api: { labels }, tag }: Naming,
  { resource, name, description }: { resource: string; name: string; description?: string },
): string | undefined {
  return labels.operation(tag, resource, name).description ?? description
}

/** The title of an operation and its description, with the roles that may use it. */
export function operationTexts(
  naming: Naming,
  resource: Resource,
  operation: Operation,
): { title: string; description: string } {
  const { api, tag } = naming
  const access = accessWords[tag] ?? accessWords.en
  const { permissions } = api
  const roles = permissions.rolesOf(operation).map((role) => roleName(tag, role))
  const who = permissions.isPublic(operation)
    ? access.noToken
    : permissions.isForGuests(operation)
      ? access.anyToken
      : access.roles(roles.join(', '))
  const details = detailsIn(naming, { ...operation, resource: resource.name })
  return { title: operationTitle(naming, resource, operation), description: details ? `${details} ${who}` : who }
}
