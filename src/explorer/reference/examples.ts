import { exampleId } from '../../demo/example-id.ts'
import { demoEntities } from '../../demo/examples.ts'
import type { Api } from '../../hydra/index.ts'

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
  return examples
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
