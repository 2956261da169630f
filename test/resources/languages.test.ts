import { expectProblem } from '../support/requests/raw-responses.ts'
import { snapshot } from '../support/rows/database-snapshot.ts'
import { openWorld } from '../support/world.ts'

const { api, as, elsewhere, tenant } = await openWorld()

const stranger = as(elsewhere.users.owner)
const ids = ({ body }: { body: { member: { id: string }[] } }) => body.member.map(({ id }) => id)

test('Dutch and English are always there, and cannot be taken away', async () => {
  expect(ids(await api.get('/languages'))).toEqual(['en', 'nl'])
  expect((await api.get('/languages/nl')).body).toEqual({
    '@context': '/contexts/Language',
    '@id': '/languages/nl',
    '@type': 'Language',
    id: 'nl',
  })
  expect((await api.delete('/languages/nl')).status).toBe(405)
  expect((await api.patch('/languages/nl', { id: 'fr' })).status).toBe(405)
})

test.each([
  ['NL-be', 'nl-BE'],
  ['FR', 'fr'],
  ['sr-latn-rs', 'sr-Latn-RS'],
  ['iw', 'he'],
  ['deu', 'de'],
  ['zh-hant', 'zh-Hant'],
  ['ES-419', 'es-419'],
  ['pt-BR-u-ca-gregory', 'pt-BR'],
])('%s is kept as %s', async (sent, kept) => {
  const { status, body, headers } = await api.post('/languages', { id: sent })
  expect([status, body.id, body['@id'], headers.location]).toEqual([
    201,
    kept,
    `/languages/${kept}`,
    `/languages/${kept}`,
  ])
  expect((await api.get(`/languages/${kept}`)).body).toEqual(body)

  const again = await api.post('/languages', { id: sent })
  expect(again.status).toBe(422)
  expect(again.body.violations).toEqual([expect.objectContaining({ propertyPath: 'id', code: 'isUnique' })])
})

test('another spelling leads to the canonical one', async () => {
  await api.post('/languages', { id: 'da-DK' })
  const { status, headers } = await api.get('/languages/DA-dk')
  expect([status, headers.location]).toEqual([301, '/languages/da-DK'])
  expect((await api.get('/languages/NL')).headers.location).toBe('/languages/nl')
  expect((await api.get('/languages/IT')).status).toBe(404)
})

const none: unknown[] = [
  ...[
    '',
    ' ',
    'xx',
    'zz',
    'nds',
    'mul',
    'und',
    'root',
    'x-nl',
    'i-klingon',
    'nl_BE',
    'nl-',
    '-nl',
    'nl be',
    'nl-BE-',
    'n',
  ],
  ...['dutch', 'nederlands', 'nl-1', 'qaa', 'nl\u0000', 'nl-BE-x', `nl${'-abcdefgh'.repeat(9)}`, 'en-a-bbb-a-ccc', '*'],
  ...[5, 1.5, null, true, {}, [], ['it'], [['it']], { toString: 'it' }, { '@id': '/languages/it' }],
]

test.each(none.map((id) => [id]))('%j is no language', async (id) => {
  const before = await snapshot()
  const answer = await api.post('/languages', { id })
  const { violations } = expectProblem(answer as never, 422) as { violations: { propertyPath: string }[] }
  expect(violations.map(({ propertyPath }) => propertyPath)).toEqual(['id'])
  expect(await snapshot()).toEqual(before)
})

test('they are of one organization, and for its admins to add', async () => {
  expect((await as(tenant.users.member).post('/languages', { id: 'pl' })).status).toBe(403)
  expect((await as(tenant.users.admin).post('/languages', { id: 'pl' })).status).toBe(201)
  expect(ids(await as(tenant.users.member).get('/languages'))).toContain('pl')

  expect(ids(await stranger.get('/languages'))).toEqual(['en', 'nl'])
  expect((await stranger.get('/languages/pl')).status).toBe(404)
  expect((await stranger.post('/languages', { id: 'pl' })).status).toBe(201)
})

test('of ten that add one language at once, one does', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) => api.post('/languages', { id: n % 2 ? 'SV-se' : 'sv-SE' })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 9 }, () => 422)])
})
