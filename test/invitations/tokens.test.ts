import { OrganizationUser, OrganizationUserInvitation } from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'
import { invited, newcomer, path, yesterday } from './invitees.ts'

const { api, as, database } = await openWorld()

test('a removed member cannot return with the old token', async () => {
  const { token } = await invited()
  const gone = as(newcomer('gone'))
  await gone.post(`${path}/accept`, { token })
  const { body } = await gone.get('/users/me')
  const [{ id }] = await database.manager.findBy(OrganizationUser, { userId: body.id })
  expect((await api.delete(`/organization-users/${id}`)).status).toBe(204)
  expect((await gone.post(`${path}/accept`, { token })).status).toBe(422)
})

test('mistyped, expired, revoked and replaced tokens are refused with one message', async () => {
  const answers: unknown[] = []
  const refused = async (token: string) => {
    const { status, text } = await as(newcomer('refused')).post(`${path}/accept`, { token })
    answers.push({ status, text })
  }
  await refused('mistyped')
  const expired = await invited()
  await database.manager.update(OrganizationUserInvitation, { id: expired.id }, { expiresAt: yesterday })
  await refused(expired.token)
  const revoked = await invited()
  await api.delete(revoked.iri)
  await refused(revoked.token)
  const replaced = await invited()
  await api.post(`${replaced.iri}/resend`)
  await refused(replaced.token)
  expect(answers).toHaveLength(4)
  for (const answer of answers) expect(answer).toEqual(answers[0])
  expect(answers[0]).toMatchObject({ status: 422 })
  expect((await as(newcomer('refused')).get('/users/me')).status).toBe(404)
})

test.each([
  ['nothing', {}],
  ['no character', { token: '' }],
  ['a number', { token: 42 }],
  ['null', { token: null }],
  ['a list', { token: ['x'] }],
  ['too long a text', { token: 'x'.repeat(256) }],
])('%s accepts nothing', async (_, body) => {
  const answer = await as(newcomer()).post(`${path}/accept`, body)
  expect([answer.status, answer.body.violations[0].propertyPath]).toEqual([422, 'token'])
})
