import { exampleId } from '../../demo/example-id.ts'
import { demoEntities } from '../../demo/examples.ts'
import { type Api, ConstraintViolation, Problem, type Resource } from '../../hydra/index.ts'

/** The example of each class, by its name: the first row of the demo, as the owner of the demo reads it. */
export async function examplesOf(api: Api): Promise<Map<string, object>> {
  const entities = await demoEntities()
  const owner = { role: 'owner', user: exampleId, tenant: exampleId }
  const examples = new Map<string, object>()
  for (const entity of entities) {
    const name = entity.constructor.name
    if (examples.has(name) || !api.resources.some((resource) => resource.entity === entity.constructor)) continue
    Object.assign(entity, listsOf(api, entity, entities))
    examples.set(name, api.document(entity, owner))
  }
  for (const [name, example] of documentsOf(api)) examples.set(name, example)
  return examples
}

/** An error of each kind, and a change. */
function documentsOf(api: Api): [string, object][] {
  const missing = new Problem(404, 'Not found: no such resource exists, or you have no access to it.')
  const changed = api.resources.find(({ listed }) => listed) as Resource
  const collection = api.iris.at(changed.path)
  const rule = { propertyPath: 'name', message: 'name must have at most 255 characters.', code: 'maxLength' }
  return [
    ['Error', api.spell(missing.document(api.iris.root))],
    ['ConstraintViolation', api.spell(new ConstraintViolation([rule]).document(api.iris.root))],
    ['Violation', rule],
    ['Change', { '@id': api.iris.at(changed.iri({ id: exampleId } as never)), type: 'update', collection, version: 2 }],
  ]
}

/** The ids in the lists of references; all rows of the demo belong to one organization. */
function listsOf(api: Api, entity: object, entities: object[]): Record<string, string[]> {
  const { fields } = api.shape(entity.constructor as never)
  const lists = fields.filter(({ kind }) => kind === 'references')
  return Object.fromEntries(
    lists.map(({ name, target }) => [
      name,
      entities.filter((row) => row.constructor === target).map((row) => (row as { id: string }).id),
    ]),
  )
}
