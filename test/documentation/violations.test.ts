import { openWorld } from '../support/world.ts'

const { api } = await openWorld()

const morning = { employee: null, dateFrom: '2027-01-01T08:00:00Z', dateTo: '2027-01-01T09:00:00Z' }

const violationsIn = ({ body }: { body: { violations?: { propertyPath: string; code: string }[] } }) =>
  body.violations?.map(({ propertyPath, code }) => `${propertyPath} ${code}`)

test.each([
  ['/meetings', { ...morning, dateFrom: '2027-01-01' }, ['dateFrom isDate']],
  ['/meetings', { ...morning, dateFrom: 'now', time: '2027-01-01T08:30:00Z' }, ['dateFrom isDate']],
  ['/meetings', { ...morning, dateTo: '2027-01-01', time: '2027-01-01T08:30:00Z' }, ['dateTo isDate']],
  ['/locations', { name: 'Utrecht', officeOpenHour: 'nine', officeCloseHour: 17 }, ['officeOpenHour isInt']],
  ['/organization-user-invitations', {}, ['email isString']],
])('%s with %j gets the violations of its faults, and none that merely follow from them', async (path, body, wrong) => {
  expect(violationsIn(await api.post(path, body))).toEqual(wrong)
})

test.each([
  ['/meetings', 'employee', 'an Employee'],
  ['/employees', 'user', 'a User'],
  ['/subscriptions', 'organizationAddress', 'an OrganizationAddress'],
])('%s names the class of %s with the right article', async (path, name, target) => {
  const { body } = await api.post(path, { name: 'Ada', ...morning, [name]: 5 })
  expect(body.violations).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining(`${name} must be the IRI of ${target}, such as`) }),
  )
})
