import type { Api, Resource } from '../../hydra/index.ts'

/** The label of a class, or of one of its properties or links. */
export function labelOf({ labels }: Api, language: string, type: string, property?: string): string {
  return labels.label(language, type, property)
}

/** The description of a class, or of one of its properties or links. */
export function descriptionOf({ labels }: Api, language: string, type: string, property?: string): string | undefined {
  return labels.description(language, type, property)
}

/** The label of a value in a closed set. */
export function valueLabelOf({ labels }: Api, language: string, type: string, property: string, value: string): string {
  return labels.value(language, type, property, value)
}

/** The label of a member of a list of objects. */
export function memberLabelOf(
  { labels }: Api,
  language: string,
  type: string,
  property: string,
  member: string,
): string {
  return labels.member(language, type, property, member)
}

/** The label of a collection. */
export function collectionLabel({ labels }: Api, language: string, { name }: Resource): string {
  return labels.plural(language, name)
}
