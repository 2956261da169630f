/** The terms of Hydra that API Platform 3 writes with the prefix. It never prefixes the others. */
const terms = [
  'member',
  'totalItems',
  'view',
  'first',
  'last',
  'previous',
  'next',
  'search',
  'template',
  'variableRepresentation',
  'mapping',
  'title',
  'description',
  'entrypoint',
  'supportedClass',
  'supportedProperty',
  'property',
  'required',
  'readable',
  'writeable',
  'writable',
  'supportedOperation',
  'method',
  'possibleStatus',
  'statusCode',
]
const types = [
  'Collection',
  'PartialCollectionView',
  'IriTemplate',
  'ApiDocumentation',
  'Class',
  'SupportedProperty',
  'Operation',
  'Link',
  'Status',
  'Error',
]
const prefixed = new Map([...terms, ...types].map((term) => [term, `hydra:${term}`]))

/** Adds the prefix to the Hydra terms of one object. Nested objects stay unchanged. */
export function prefixHydraTerms(node: object): object {
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [prefixed.get(key) ?? key, key === '@type' ? typed(value) : value]),
  )
}

/** Adds the prefix to the Hydra terms of a document, at every depth. */
export function prefixHydraTermsDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prefixHydraTermsDeep)
  if (typeof value !== 'object' || value === null) return value
  return prefixHydraTerms(
    Object.fromEntries(
      Object.entries(value).map(([key, held]) => [key, key === '@context' ? held : prefixHydraTermsDeep(held)]),
    ),
  )
}

function typed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(typed)
  return prefixed.get(value as string) ?? value
}
