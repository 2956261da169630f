import { Employee, OrganizationUser, Subscription } from '../../entities/index.ts'
import { path as invitations, invited, newcomer } from '../invitations/invitees.ts'
import { stripeCustomer } from '../support/billing/billing.ts'
import { subscriber } from '../support/billing/manual-billing.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { type Agent, openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given, givenAddress, operator, organization, person, tenant } = await openWorld()

/* The response to a change has addresses in Location, Content-Location, references and links; its caller may follow each. */

const rows = await rowsOf(tenant)
await database.manager.update(Subscription, { id: rows.Subscription.id }, { seats: 50 })
const { member, owner } = tenant.users
const own = { '@context': expect.anything() }
const window = { dateFrom: '2027-01-01T08:00:00Z', dateTo: '2027-01-01T09:00:00Z' }

type Answer = { status: number; headers: Record<string, string>; body: Record<string, unknown> }

/** The addresses in a response that its caller may not read. */
async function refusedAddresses(agent: Agent, { headers, body }: Answer): Promise<string[]> {
  const { '@context': _, '@id': id, ...rest } = body
  const named = JSON.stringify(rest).match(/(?<=")\/[a-z][^"\s{]*(?=")/g) ?? []
  const inHeaders = [headers.location, headers['content-location']].filter((path) => path !== undefined)
  const refused: string[] = []
  for (const path of new Set([...named, ...inHeaders])) {
    const { status } = await agent.get(path)
    const isAction = status === 405 && path !== id && !inHeaders.includes(path)
    if (status !== 200 && !isAction) refused.push(`${path}: ${status}`)
  }
  return refused
}

/** Sends a request, and checks its status and that its caller may follow every address in the response. */
async function follow(agent: Agent, sent: PromiseLike<unknown>, status = 201): Promise<Answer> {
  const answer = (await sent) as Answer
  expect([answer.status, answer.body.detail]).toEqual([status, undefined])
  expect(await refusedAddresses(agent, answer)).toEqual([])
  return answer
}

test('the response to a confirmation names only addresses that the operator may read', async () => {
  const { path, tenant } = await subscriber()
  const agent = as(operator)
  const { headers, body } = await follow(agent, agent.post(`${path}/confirm`))
  expect(headers).not.toHaveProperty('location')
  expect(headers).not.toHaveProperty('content-location')
  expect(body).toMatchObject({ ...own, '@id': path, organization: `/organizations/${tenant.organization.id}` })
  await follow(agent, agent.post(`${path}/confirm`), 200)
  await follow(agent, agent.patch(`/organizations/${tenant.organization.id}`, { demo: true }), 200)
  await follow(agent, agent.get('/organizations'), 200)
})

test('the response to an acceptance names the invitation only for an admin of that organization', async () => {
  const { users } = elsewhere
  const several = await person('several')
  for (const { id } of [organization, elsewhere.organization])
    await given(OrganizationUser, { user: several, organizationId: id, name: 'several', role: 'member' })
  const joining = async (agent: Agent, role: string, by = api) => {
    const { token, iri } = await invited({ role }, by)
    const answer = await follow(agent, agent.post(`${invitations}/accept`, { token }))
    const again = await follow(agent, agent.post(`${invitations}/accept`, { token }), 200)
    for (const { headers, body } of [answer, again]) {
      expect(body['@id']).toBe(iri)
      expect(headers['content-location']).toBe(answer.headers.location)
    }
    return answer.headers.location === iri
  }
  expect(await joining(as(newcomer()), 'admin')).toBe(true)
  expect(await joining(as(newcomer()), 'member')).toBe(false)
  expect(await joining(as(users.owner, { organization: elsewhere.organization.id }), 'admin')).toBe(false)
  expect(await joining(as(several), 'admin')).toBe(false)
})

test('the response to a new organization leads its founder to it', async () => {
  for (const agent of [as(newcomer()), as(elsewhere.users.member), as(owner, { organization: organization.id })]) {
    const { headers, body } = await follow(agent, agent.post('/organizations', { name: 'Founded' }))
    expect(headers.location).toBe(body['@id'])
  }
})

test('the response to a payment method setup has no address, as none can be read', async () => {
  const subscriber = await stripeCustomer()
  const { headers } = await follow(subscriber.api, subscriber.api.post('/payment-methods/setup'), 200)
  expect(headers).not.toHaveProperty('content-location')
})

test('members, admins and owners may follow every address in the responses to their changes', async () => {
  const mine = await given(Employee, { name: 'Own', user: member })
  const plan = { employee: `/employees/${mine.id}`, ...window }
  await follow(as(member), as(member).post('/meetings', plan))
  await follow(as(member), as(member).get('/users/me'), 200)
  for (const agent of [as(tenant.users.admin), as(owner, { organization: organization.id })]) {
    for (const [path, body] of Object.entries({
      '/employees': { name: 'Ada', location: `/locations/${rows.Location.id}`, user: `/users/${member.id}` },
      '/organization-user-invitations': { email: `${Math.random()}@example.com` },
      '/meetings': plan,
    }))
      await follow(agent, agent.post(path, body))
    const address = await givenAddress()
    for (const path of [
      `/organization-addresses/${address.id}`,
      '/organizations/mail-footer',
      `/organizations/${organization.id}`,
    ])
      await follow(agent, agent.patch(path, {}), 200)
    const { iri } = await invited({}, agent)
    await follow(agent, agent.post(`${iri}/resend`), 201)
  }
  const agent = as(owner, { organization: organization.id })
  await follow(agent, agent.post(`/subscriptions/${rows.Subscription.id}/cancel`, { immediately: true }))
})
