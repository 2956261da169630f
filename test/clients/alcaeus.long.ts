import formats from '@rdfjs/formats'
import parent from '@zazuko/env'
import Environment from '@zazuko/env/Environment.js'
import create from 'alcaeus'
import { type Employee, Location, Meeting, Subscription } from '../../entities/index.ts'
import { collections } from '../support/docs.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { database, given, organization, publicUrl, tenant, tokenOf } = await openWorld()

const environment = new Environment(create(), { parent })
environment.formats.import(formats)
const { hydra: client } = environment
const rows = await rowsOf(tenant)
const jsonld = { 'Content-Type': 'application/ld+json' }

/** The members of alcaeus's resources that these tests use; it adds them at run time, beyond its types. */
interface Node {
  id: { value: string }
  types: Iterable<Node>
  pointer: { out(property: unknown): { value?: string } }
  title?: string
  apiDocumentation?: Node
  entrypoint?: Node
  supportedClass: Node[]
  supportedProperty: Node[]
  writable?: boolean
  totalItems?: number
  member: Node[]
  view: Node[]
  next?: Node
  expects: Node[]
  target: Node
  search: { expand(values: object): string }
  getCollections(filter?: { object: object }): Node[]
  load(): Promise<unknown>
  invoke(body: string, headers: object): Promise<unknown>
  findOperations(criteria: { byMethod: string }): Node[]
  getLinks(): { supportedProperty: Node; resources: Node[] }[]
  getProperties(): { supportedProperty: Node; objects: unknown[] }[]
}

let entrypoint: Node

beforeAll(async () => {
  client.defaultHeaders = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
  for (let count = 0; count < 64; count++) await given(Meeting, { employee: rows.Employee as Employee, ...morning })
  entrypoint = answered(await client.loadResource(`${publicUrl}/`)).root
})

describe('alcaeus', () => {
  test('finds the documentation from the entrypoint', () => {
    const { apiDocumentation } = entrypoint
    expect(apiDocumentation?.id.value).toBe(`${publicUrl}/docs.jsonld`)
    expect(apiDocumentation?.title).toBe('Organization API')
    expect(apiDocumentation?.entrypoint?.id.value).toBe(`${publicUrl}/`)
    const meeting = apiDocumentation?.supportedClass.find(({ title }) => title === 'Meeting')
    expect(meeting?.supportedProperty.map(({ title }) => title)).toContain('dateFrom')
  })

  test('finds the collection of a class in the entrypoint', () => {
    expect(entrypoint.getCollections()).toHaveLength(collections.size)
    const object = environment.namedNode(`${publicUrl}/docs.jsonld#Meeting`)
    expect(entrypoint.getCollections({ object }).map(({ id }) => id.value)).toEqual([`${publicUrl}/meetings`])
  })

  test('follows a collection to its last page', async () => {
    const members: string[] = []
    let pages = 0
    for (let next: Node | undefined = linked(entrypoint, 'meeting'); next; pages++) {
      const { root } = answered(await next.load())
      expect(root.id.value).toBe(`${publicUrl}/meetings`)
      expect(root.totalItems).toBe(65)
      members.push(...root.member.map(({ id }) => id.value))
      next = root.view[0].next
    }
    expect(pages).toBe(3)
    const meetings = await database.manager.findBy(Meeting, { organizationId: organization.id })
    expect(members.sort()).toEqual(meetings.map(({ id }) => `${publicUrl}/meetings/${id}`).sort())
  })

  test('filters a collection by the template of its search', async () => {
    const { root } = answered(await linked(entrypoint, 'meeting').load())
    const values = environment
      .clownface({ dataset: environment.dataset() })
      .blankNode()
      .addOut(environment.namedNode('https://schema.org/startDate'), '2000-01-01T00:00:00Z')
      .addOut(environment.namedNode('https://schema.org/identifier'), environment.namedNode(root.member[3].id.value))
    const url = root.search.expand(values)
    expect(url).toContain('dateFrom%255Bafter%255D=2000')
    const { Authorization } = client.defaultHeaders as Record<string, string>
    const found = async (url: string) =>
      (await (await fetch(url, { headers: { Authorization } })).json()) as { totalItems: number }
    expect((await found(url.replace(/&dateFrom[^&]*before[^&]*/g, ''))).totalItems).toBe(1)
    expect((await found(url.replace(/&dateFrom[^&]*after[^&]*/g, ''))).totalItems).toBe(0)
  })

  test('creates a location by the documented operation', async () => {
    const operation = operationOf(linked(entrypoint, 'location'), 'POST')
    expect(operation.title).toBe('Create a location')
    const writable = operation.expects[0].supportedProperty.filter((property) => property.writable)
    expect(writable.map(({ title }) => title)).toEqual(['name', 'officeOpenHour', 'officeCloseHour'])

    const values = { name: 'Delft', officeOpenHour: 9, officeCloseHour: 17 }
    const { status, root } = answered(await operation.invoke(JSON.stringify(values), jsonld))

    expect(status).toBe(201)
    expect(valuesOf(root)).toMatchObject(values)
    const created = await database.manager.findOneByOrFail(Location, { name: 'Delft' })
    expect(created).toMatchObject({ ...values, organizationId: organization.id })
    expect(root.id.value).toBe(`${publicUrl}/locations/${created.id}`)
  })

  test('reads the violations of an invalid location', async () => {
    const operation = operationOf(linked(entrypoint, 'location'), 'POST')
    const { status, root } = answered(await operation.invoke(JSON.stringify({ name: '' }), jsonld))

    expect(status).toBe(422)
    expect(root.id.value).toBe(`${publicUrl}/errors/422`)
    expect([...root.types].map(({ id }) => id.value)).toContain(`${publicUrl}/docs.jsonld#ConstraintViolation`)
    const { pointer } = valuesOf(root).violations as Node
    expect(pointer.out(environment.namedNode(`${publicUrl}/docs.jsonld#propertyPath`)).value).toBe('name')
  })

  test('cancels a subscription at the end of its period by the operation on its link', async () => {
    await database.manager.update(
      Subscription,
      { id: rows.Subscription.id },
      { status: 'active', confirmedAt: new Date() },
    )
    const collection = answered(await linked(entrypoint, 'subscription').load()).root
    const operation = operationOf(linked(collection.member[0], 'cancel'), 'POST')
    expect(operation.target.id.value).toBe(`${publicUrl}/subscriptions/${rows.Subscription.id}/cancel`)

    const { status, root } = answered(await operation.invoke(JSON.stringify({ immediately: false }), jsonld))

    expect(status).toBe(201)
    const { cancelAt } = await database.manager.findOneByOrFail(Subscription, { id: rows.Subscription.id })
    expect(cancelAt?.getTime()).toBeGreaterThan(Date.now())
    expect(valuesOf(root)).toMatchObject({ cancelAt })
  })
})

/** The status of a response, and its root node. */
function answered(answer: unknown): { status: number; root: Node } {
  const { response, representation } = answer as { response: { xhr: Response }; representation: { root: Node } }
  return { status: response.xhr.status, root: representation.root }
}

/** The target of the link with this title in the documentation. */
function linked(resource: Node, title: string): Node {
  const link = resource.getLinks().find(({ supportedProperty }) => supportedProperty.title === title)
  if (!link) throw new Error(`${resource.id.value} has no link called ${title}.`)
  return link.resources[0]
}

function operationOf(resource: Node, method: string): Node {
  const [operation] = resource.findOperations({ byMethod: method })
  if (!operation) throw new Error(`${resource.id.value} has no operation with ${method}.`)
  return operation
}

/** The first value of every documented property, by title. */
function valuesOf(resource: Node): Record<string, unknown> {
  return Object.fromEntries(
    resource.getProperties().map(({ supportedProperty, objects }) => [supportedProperty.title, objects[0]]),
  )
}
