import { api } from '../support/world.ts'

const morning = { employee: null, dateFrom: '2027-01-01T08:00:00Z', dateTo: '2027-01-01T09:00:00Z' }

const told = ({ body }: { body: { violations?: { propertyPath: string; code: string }[] } }) =>
  body.violations?.map(({ propertyPath, code }) => `${propertyPath} ${code}`)

test.each([
  ['/meetings', { ...morning, dateFrom: '2027-01-01' }, ['dateFrom isDate']],
  ['/meetings', { ...morning, dateFrom: 'now', time: '2027-01-01T08:30:00Z' }, ['dateFrom isDate']],
  ['/meetings', { ...morning, dateTo: '2027-01-01', time: '2027-01-01T08:30:00Z' }, ['dateTo isDate']],
  ['/locations', { name: 'Utrecht', officeOpenHour: 'nine', officeCloseHour: 17 }, ['officeOpenHour isInt']],
  ['/organization-user-invitations', {}, ['email isString']],
])('%s with %j is told of what is wrong with it, and of nothing that follows from that', async (path, body, wrong) => {
  expect(told(await api.post(path, body))).toEqual(wrong)
})

test.each([
  ['/meetings', 'employee', 'an Employee'],
  ['/employees', 'user', 'a User'],
  ['/subscriptions', 'organizationAddress', 'an OrganizationAddress'],
])('%s says what %s refers to with its article', async (path, name, target) => {
  const { body } = await api.post(path, { name: 'Ada', ...morning, [name]: 5 })
  expect(body.violations).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining(`${name} must be the IRI of ${target}, such as`) }),
  )
})
