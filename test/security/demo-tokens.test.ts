import { decodeJwt } from 'jose'
import request from 'supertest'
import { Organization } from '../../entities/index.ts'
import { people, seedDemo, tokenFor } from '../../src/demo/demo.ts'
import { openWorld } from '../support/world.ts'

const { as, database, issuer, publicUrl } = await openWorld()

/*
 * README: a start prints a ready-made token for each role.
 * The same fault can occur in every demo token that is made without naming an organization.
 * These are the tokens that a start prints and those of `npm run token`, for each person.
 */
const members = ['owner', 'admin', 'member'] as const
let demo: Organization
let second: Organization

beforeAll(async () => {
  await seedDemo(database, publicUrl, { manualBilling: true })
  demo = await database.manager.findOneByOrFail(Organization, { slug: 'van-dijk' })
  for (const person of members) {
    const { subject } = people[person]
    const founder = as({ subject } as Parameters<typeof as>[0], { organization: demo.id })
    await founder.post('/organizations', { name: `Second of ${person}`, slug: `second-${person}` }).expect(201)
  }
  second = await database.manager.findOneByOrFail(Organization, { slug: 'second-owner' })
})

const ask = (path: string, token: string) => request(publicUrl).get(path).set('Authorization', `Bearer ${token}`)

test.each(members)('the token of the %s acts for the demo organization, even in a second one', async (person) => {
  const token = await tokenFor(database, issuer, person)
  expect(decodeJwt(token).organization).toBe(demo.id)
  const { status, body } = await ask('/meetings?itemsPerPage=1', token)
  expect([status, body.totalItems > 0]).toEqual([200, true])
})

test('a token for another organization acts for that one', async () => {
  const token = await tokenFor(database, issuer, 'owner', 'second-owner')
  expect(decodeJwt(token).organization).toBe(second.id)
  const { status, body } = await ask('/meetings', token)
  expect([status, body.totalItems]).toEqual([200, 0])
})

test('the token of the operator names no organization', async () => {
  const token = await tokenFor(database, issuer, 'operator')
  expect(decodeJwt(token)).not.toHaveProperty('organization')
  expect((await ask('/organizations', token)).status).toBe(200)
  const refusal = 'The operator acts for no organization. Leave out --organization.'
  await expect(tokenFor(database, issuer, 'operator', 'van-dijk')).rejects.toThrow(refusal)
})

test('an organization that does not exist is refused by its slug', async () => {
  const refusal = 'No organization has the slug "nowhere".'
  await expect(tokenFor(database, issuer, 'owner', 'nowhere')).rejects.toThrow(refusal)
})
