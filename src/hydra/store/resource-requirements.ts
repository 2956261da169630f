import type { EntityMetadata } from 'typeorm'
import type { Tenancy } from '../model/caller.ts'
import { createEntity } from '../model/entity.ts'
import type { Resource } from '../model/resource.ts'
import type { Field, Shape } from '../model/shape.ts'
import { pageParameters } from '../query/search.ts'

/**
 * Checks that a resource can be served as its row of the table says.
 * @throws Error that names the class, the property, and the remedy
 */
export function checkResource(resource: Resource, shape: Shape, tenancy: Tenancy): void {
  checkNames(resource, shape)
  checkFiles(resource)
  const { metadata } = shape
  if (!metadata || resource.options.store) return
  checkColumns(resource, metadata, tenancy)
  for (const field of shape.fields.filter(({ kind }) => kind === 'reference')) {
    checkKey(resource, metadata, field)
    checkForeignKey(shape, field, tenancy)
  }
  checkCreate(resource, shape, metadata, tenancy)
}

/** Hidden, masked and searched properties are given by name, so a misspelled one would be shown or never found. */
function checkNames({ path, options }: Resource, { name, field }: Shape): void {
  const { hidden = {}, masked = {}, text = [], filters = {} } = options
  const clashing = pageParameters.find((each) => each in filters)
  if (clashing)
    throw new Error(`"${path}" cannot be filtered by "${clashing}", a parameter of every page: rename the property.`)
  const given: [option: string, names: readonly string[]][] = [
    ...Object.values(hidden).map((names): [string, readonly string[]] => ['hidden', names ?? []]),
    ...Object.values(masked).map((masks): [string, string[]] => ['masked', Object.keys(masks ?? {})]),
    ['text', text],
  ]
  for (const [option, names] of given) {
    const unknown = names.find((each) => !field.has(each))
    if (unknown)
      throw new Error(`"${path}" has "${unknown}" in its option "${option}", which ${name} lacks: correct the name.`)
  }
}

function checkFiles({ path, operations }: Resource): void {
  const faulty = operations.find(({ expects, file }) => expects === 'file' && !file)
  if (faulty) throw new Error(`The operation "${faulty.name}" of "${path}" expects a file: give it the option "file".`)
}

/** The engine reads the id of each row, finds a lost update by the version, and limits rows to those of the tenant. */
function checkColumns(
  { path, operations, options }: Resource,
  metadata: EntityMetadata,
  { column, name }: Tenancy,
): void {
  const has = (wanted: string) => metadata.columns.some(({ propertyName }) => propertyName === wanted)
  if (!options.singleton && !has('id'))
    throw new Error(`${metadata.name} needs the column "id", because items of "${path}" are found by it.`)
  const changes = operations.find(({ method }) => method === 'PATCH')
  if (changes && metadata.versionColumn?.propertyName !== 'version')
    throw new Error(`${metadata.name} needs a version column "version", because "${path}" has "${changes.name}".`)
  if (changes && !has('updatedAt'))
    throw new Error(`${metadata.name} needs the column "updatedAt", because "${path}" has "${changes.name}".`)
  if (!options.scope && !has(column))
    throw new Error(`${metadata.name} needs the column "${column}" of its ${name}, or "${path}" the option "scope".`)
}

/** A reference is written from its id, which a column holds or SQL computes. Only a column can be filtered by. */
function checkKey({ name: type, path, options }: Resource, metadata: EntityMetadata, { name, key = '' }: Field): void {
  const { computed = {}, filters = {} } = options
  if (metadata.columns.some(({ propertyName }) => propertyName === key)) return
  if (!(key in computed))
    throw new Error(`"${type}.${name}" needs the column "${key}", or "${path}" the option "computed" with that name.`)
  if (name in filters) throw new Error(`"${path}" cannot be filtered by "${name}", because SQL computes it.`)
}

/** A foreign key with the tenant's id makes a reference to another tenant's row impossible. */
function checkForeignKey({ name, metadata }: Shape, { name: property, key }: Field, { column }: Tenancy): void {
  const relation = metadata?.findRelationWithPropertyPath(property)
  const target = relation?.inverseEntityMetadata
  const isOwned = (each: EntityMetadata | undefined) =>
    each?.columns.some(({ propertyName }) => propertyName === column)
  if (!key || !isOwned(target) || !isOwned(metadata)) return
  const joined = relation?.joinColumns.map(({ databaseName }) => databaseName) ?? []
  if (joined.length !== 1 || joined[0] !== key)
    throw new Error(
      `"${name}.${property}" joins by ${joined.join(', ')}: add @JoinColumn({ name: '${key}', referencedColumnName: 'id' }).`,
    )
  const keys = metadata?.foreignKeys.map(({ columns }) => columns.map(({ propertyName }) => propertyName)) ?? []
  if (!keys.some((columns) => columns.includes(column) && columns.includes(key)))
    throw new Error(`"${name}.${property}" needs a @ForeignKey of "${column}" and "${key}" on the class ${name}.`)
}

/** A create writes the properties of its body; every other column needs a value from the class or from the database. */
function checkCreate(
  { path, operations }: Resource,
  shape: Shape,
  metadata: EntityMetadata,
  { column }: Tenancy,
): void {
  const sets = operations.find((operation) => operation.sets)?.sets
  if (!sets) return
  const written = shape.fields.filter(({ writable }) => writable).map(({ name, key }) => key ?? name)
  const initial = createEntity(shape.class) as Record<string, unknown>
  const known = new Set([column, ...sets, ...written])
  const bare = metadata.columns.find(
    ({ propertyName: name, isNullable, isGenerated, isVersion, isSelect, default: given }) =>
      // A column that is not selected belongs to the database: a trigger fills it.
      !(isNullable || isGenerated || isVersion || !isSelect) &&
      given === undefined &&
      !known.has(name) &&
      initial[name] === undefined,
  )
  if (bare)
    throw new Error(
      `"${shape.name}.${bare.propertyName}" has no value in a create at "${path}": give it a rule, a default, or a place in "sets".`,
    )
}
