import {
  Employee,
  Location,
  Meeting,
  OrganizationConfig,
  OrganizationUser,
  Subscription,
} from '../../entities/index.ts'
import type { Callers } from '../../src/access/callers.ts'
import { apiOptions, api as table } from '../../src/api.ts'
import { Api, type Operation, type Violation } from '../../src/hydra/index.ts'
import type { Shape } from '../../src/hydra/model/shape.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { wrongValues } from '../support/requests/wrong-values.ts'
import { snapshot } from '../support/rows/database-snapshot.ts'
import { givenEndpoint, givenKey } from '../support/rows/sample-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { as, config, database, given, givenAddress, operator, organization, tenant } = await openWorld()

const described = new Api(table({ forget() {} } as Callers, {} as never, {} as never), database, {
  ...apiOptions,
  ...config,
})

/** An item of every writable class, for operations with an id in their path. */
const address = await givenAddress()
const items: Record<string, string> = {
  Organization: organization.id,
  Location: (await given(Location, { name: 'Utrecht' })).id,
  Meeting: (await given(Meeting, morning)).id,
  Employee: (await given(Employee, { name: 'Ada' })).id,
  OrganizationAddress: address.id,
  OrganizationConfig: (await idOf(OrganizationConfig, { key: 'currency' })) as string,
  ApiKey: (await givenKey({ createdBy: tenant.users.owner })).id,
  WebhookEndpoint: (await givenEndpoint({ createdBy: tenant.users.owner })).id,
  OrganizationUser: (await idOf(OrganizationUser, { userId: tenant.users.member.id })) as string,
  Subscription: (await given(Subscription, { organizationAddress: address, seats: 9 })).id,
}

interface Written {
  title: string
  method: 'post' | 'patch'
  path: string
  operation: Operation
  shape: Shape
}

const written: Written[] = described.resources.flatMap(({ entity, path, operations, name }) =>
  operations.flatMap((operation) => {
    const { expects, method } = operation
    if (!expects || expects === 'file') return []
    const shape = described.shape(expects === 'self' ? entity : expects)
    const full = path + operation.path
    return [
      {
        title: `${method} ${full}`,
        method: method.toLowerCase() as 'post',
        path: full.replace(':id', items[name]),
        operation,
        shape,
      },
    ]
  }),
)

const cases = written.flatMap((one) =>
  one.shape.fields
    .filter(({ writable }) => writable)
    .flatMap((field) => {
      const who = one.operation.writes ? (one.operation.writes[field.name] ?? []) : ['owner']
      if (who.length === 0) return []
      const caller = who.includes('owner') ? tenant.users.owner : operator
      return [
        [
          `${one.title} ${field.name}`,
          one,
          field,
          wrongValues(one.shape, field, field.target && described.of(field.target).resource.path),
          caller,
        ] as const,
      ]
    }),
)

test('nearly every writable property has a case', () => {
  expect(cases.length).toBeGreaterThan(80)
  expect(cases.reduce((sum, [, , , values]) => sum + values.length, 0)).toBeGreaterThan(2000)
})

test.each(cases)('%s rejects values of another type', async (_, { method, path }, { name }, values, caller) => {
  const before = await snapshot()
  const taken: string[] = []
  for (const value of values) {
    const type = method === 'post' ? 'application/ld+json' : 'application/merge-patch+json'
    const answer = await as(caller)[method](path).set('Content-Type', type).send(`{"${name}":${value}}`)
    const paths = (answer.body.violations ?? []).map((one: Violation) => one.propertyPath.split(/[.[]/)[0])
    if (answer.status === 422 && paths.includes(name)) expectProblem(answer as never, 422)
    else taken.push(`${value.slice(0, 60)}: ${answer.status} ${answer.body.detail?.slice(0, 100)}`)
  }
  expect(taken).toEqual([])
  expect(await snapshot()).toEqual(before)
})

async function idOf(type: new () => { id: string }, values: object): Promise<string | undefined> {
  return (await database.manager.findOneBy(type, { organizationId: organization.id, ...values } as never))?.id
}
