import { randomBytes } from 'node:crypto'
import request, { type Test } from 'supertest'
import { OrganizationUser, type User } from '../../../entities/index.ts'
import { openWorld } from '../../support/world.ts'

const { as, given, person, server, tenant } = await openWorld()

export type Method = 'get' | 'post' | 'patch' | 'delete'

/** A request of a program, to the server of the world unless another is named. */
export function send(secret: string, method: Method, path: string, body?: object, to = server): Test {
  const test = request(to)[method](path).set('Authorization', `Bearer ${secret}`)
  if (body === undefined) return test
  const type = method === 'patch' ? 'application/merge-patch+json' : 'application/ld+json'
  return test.type(type).send(JSON.stringify(body))
}

/** A key that a person creates, by default an owner for a program that acts as admin. */
export async function created(values: object = {}, by: User = tenant.users.owner) {
  const { body } = await as(by)
    .post('/api-keys', { name: 'Report', role: 'admin', ...values })
    .expect(201)
  return { iri: body['@id'] as string, secret: body.secret as string, body }
}

export const statusOf = async (secret: string, path = '/locations') => (await send(secret, 'get', path)).status

/** A person with a role in the organization, whom no other test changes. */
export async function joined(role: 'owner' | 'admin') {
  const user = await person(`joined ${randomBytes(4).toString('hex')}`)
  const { id } = await given(OrganizationUser, { user, name: user.name, role })
  return { user, id, membership: `/organization-users/${id}` }
}
