import type { Role } from '../model/caller.ts'

/** A class as a reference for people shows it. Its labels are in `Labels`. */
export interface ClassReference {
  /** Its name, which is its fragment in the documentation. */
  name: string
  /** Whether it is a resource, the class of a body, or the class of other documents. */
  kind: 'resource' | 'input' | 'document'
  operations: OperationReference[]
  fields: FieldReference[]
  /** The links of its items to operations, by the name of the link. */
  links: LinkReference[]
  filters: FilterReference[]
  /** The properties that its collection can be ordered by. */
  order: string[]
}

export interface LinkReference {
  name: string
  /** Its fragment in the documentation. */
  fragment: string
  /** The class of the collection that it leads to, whose label it has. Absent where it has its own. */
  collectionOf?: string
  operations: { fragment: string; method: string; path: string }[]
}

export interface OperationReference {
  /** The names of its resource and of itself. */
  resource: string
  name: string
  /** Its fragment in the documentation. */
  fragment: string
  method: string
  path: string
  /** The class that its sentence names. */
  subject: string
  /** The sentence of the API reference. */
  sentence: string
  title: string
  description?: string
  /** The roles that may use it, beside `anonymous` and `guest`. */
  roles: readonly Role[]
  /** Whether it needs no token. */
  isPublic: boolean
  /** Whether callers without a tenant may use it. */
  isForGuests: boolean
  statuses: number[]
  /** The class of its body. */
  input?: string
  /** The media types of its body. */
  bodyTypes: string[]
}

export interface FieldReference {
  name: string
  /** Its fragment in the documentation. */
  fragment: string
  /** The class that has its label and its description. */
  textsOf: string
  required: boolean
  /** Its type in JSON Schema; absent for free-form JSON. */
  type?: string
  nullable: boolean
  format?: string
  /** The closed set of its values. */
  values?: string[]
  /** The class that it refers to, and whether it refers to several items. */
  target?: string
  isList: boolean
  isWritable: boolean
  /** The roles that may write it. */
  writers: Role[]
}

export interface FilterReference {
  /** The name of the parameter. */
  name: string
  property: string
  /** The comparison: `after`, `gt`, `exists`, `partial`, `q`. Absent where the value is compared as a whole. */
  operator?: string
}
