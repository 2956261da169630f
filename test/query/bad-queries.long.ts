import { Employee } from '../../entities/index.ts'
import { api as table } from '../../src/api.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'

const { api, given } = await openWorld()

const paths = table({} as never, {} as never, {} as never)
  .filter(({ listed }) => listed)
  .map(({ path }) => path)

test.each([
  ...['x', '2026-02-30', '5', 'tomorrow', "'; select 1 --"].map((bad) => ['meetings', 'dateFrom[after]', bad]),
  ...['x', '1.5', '1e3', '0x1', '9'.repeat(40), '--1'].map((bad) => ['locations', 'officeOpenHour[gt]', bad]),
  ...['1', '1..', '1..2..3', 'a..b'].map((bad) => ['subscriptions', 'seats[between]', bad]),
  ...['yes', 'TRUE', '2'].map((bad) => ['employees', 'active', bad]),
  ...['yes', '2'].map((bad) => ['meetings', 'exists[notes]', bad]),
  ...['x', '/', '/locations/1', '/employees', 'https://elsewhere.example/employees/1', '\0'].map((bad) => [
    'meetings',
    'employee',
    bad,
  ]),
  ...['x', '/locations/1', '\0'].map((bad) => ['meetings', 'id', bad]),
  ...['\0', 'x'.repeat(256)].flatMap((bad) => [
    ['employees', 'q', bad],
    ['employees', 'name', bad],
    ['employees', 'email', bad],
  ]),
])('/%s?%s=%s is refused by name', async (path, variable, bad) => {
  for (const query of [
    [variable, bad],
    [`${variable}[]`, bad],
  ]) {
    const answer = await api.get(`/${path}?${query.map(encodeURIComponent).join('=')}`)
    expect(expectProblem(answer as never, 400).detail).toContain(`"${variable}"`)
  }
})

test('a name of as many signs as one may have is found, whatever its signs', async () => {
  const { id } = await given(Employee, { name: '😀'.repeat(255) })
  const { body } = await api.get(`/employees?name=${encodeURIComponent('😀'.repeat(255))}`)
  expect(body.member.map((node: Record<string, string>) => node.id)).toEqual([id])
})

test.each(paths)('nothing that is put into a query of %s is taken for SQL', async (path) => {
  const evil = ["' OR 1=1 --", '"; select pg_sleep(9)', '%', '\\', ':organization', '$1', ':c0', '{}', '\ufffd', '(']
  const { mapping } = (await api.get(path)).body.search as { mapping: { variable: string }[] }
  for (const text of evil) {
    const urls = mapping.map(({ variable }) => `${path}?${encodeURIComponent(variable)}=${encodeURIComponent(text)}`)
    for (const { status } of await Promise.all(urls.map((one) => api.get(one)))) expect([200, 400]).toContain(status)
  }
  for (const name of ['id; drop', 'constructor', '__proto__', 'id" DESC --', 'organizationId', "'", ''])
    expect((await api.get(`${path}?${encodeURIComponent(`order[${name}]`)}=asc`)).status).toBe(200)
  const many = Array.from({ length: 500 }, () => 'order[id]=asc&order[name]=desc').join('&')
  expect((await api.get(`${path}?${many}`)).status).toBeLessThan(500)
  expect((await api.get(`${path}?${'id[]=x&'.repeat(1500)}`)).status).toBe(400)
})
