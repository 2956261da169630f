import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js'
import { Client } from 'pg'
import request from 'supertest'
import type { DataSource } from 'typeorm'
import { Api, listOperation, Resource, rowTotals, stopThreads } from '../../src/hydra/index.ts'
import { Book, createLibrary, Loan, openDatabase } from './library.ts'

const { host, port, user } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
const name = `library_${process.pid}_${Date.now()}`
const [city, village] = ['019b8a6c-4000-7000-8000-00000000000a', '019b8a6c-4000-7000-8000-00000000000b']
const server = createServer()
let database: DataSource
let publicUrl: string

beforeAll(async () => {
  await administer(`CREATE DATABASE "${name}" TEMPLATE "template0"`)
  database = await openDatabase({ host, port, username: user, database: name })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  server.on('request', createLibrary(database, publicUrl))
})

afterAll(async () => {
  await stopThreads()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await database.destroy()
})

/** Requests of one person with a role in a library. */
const as = (role?: string, library = city) => {
  const headers: Record<string, string> = role
    ? { authorization: `Bearer ${role} ${role}-of-${library} ${library}` }
    : {}
  return {
    get: (path: string) => request(publicUrl).get(path).set(headers),
    delete: (path: string) => request(publicUrl).delete(path).set(headers),
    post: (path: string, body: object, more = {}) =>
      request(publicUrl)
        .post(path)
        .set({ 'content-type': 'application/ld+json', ...headers, ...more })
        .send(body),
  }
}

let books = 0
const givenBook = async (library = city) => {
  const { status, body } = await as('librarian', library).post('/books', { name: `Book ${++books}`, pages: 100 })
  expect(status).toBe(201)
  return body['@id'] as string
}

test('a reader lists the books of their own library, with their total', async () => {
  const own = await givenBook()
  await givenBook(village)
  const { status, body } = await as('reader').get('/books?order[name]=desc')
  expect(status).toBe(200)
  expect(body).toMatchObject({ '@id': '/books', '@type': 'Collection', totalItems: books - 1 })
  expect(body.member[0]).toEqual({
    '@id': own,
    '@type': 'Book',
    id: own.slice('/books/'.length),
    name: `Book ${books - 1}`,
    pages: 100,
  })
  expect(body.member).toHaveLength(books - 1)
})

test('totals stay right when books are deleted', async () => {
  const book = await givenBook()
  const total = async () => (await as('reader').get('/books?itemsPerPage=1')).body.totalItems
  const before = await total()
  const answers = await Promise.all([1, 2, 3].map(() => as('librarian').delete(book)))
  expect(answers.map(({ status }) => status).sort()[0]).toBe(204)
  expect(answers.filter(({ status }) => status === 204)).toHaveLength(1)
  expect(await total()).toBe(before - 1)
  await rowTotals.fold(database)
  expect(await total()).toBe(before - 1)
})

test('a column can have an expression of SQL over the other properties as its value', async () => {
  const { body } = await as('librarian').post('/books', { name: 'emma', pages: 474 })
  const rows = await database.query(`SELECT "name", "pages", "shelf" FROM "book" WHERE "id" = $1`, [body.id])
  expect(rows).toEqual([{ name: 'emma', pages: 474, shelf: 'E' }])
})

test('a librarian lends a book by its IRI', async () => {
  const book = await givenBook()
  const { status, body } = await as('librarian').post('/loans', { book, dueOn: '2026-12-24' })
  expect([status, body]).toEqual([201, expect.objectContaining({ '@type': 'Loan', book, dueOn: '2026-12-24' })])
  const { body: loans } = await as('reader').get(`/loans?book=${book}`)
  expect(loans.member.map((loan: { book: string }) => loan.book)).toEqual([book])
})

test('a reference can be computed by SQL, in items and lists', async () => {
  const book = await givenBook()
  const { body: first } = await as('librarian').post('/loans', { book, dueOn: '2026-12-24' })
  const { body: second } = await as('librarian').post('/loans', { book, dueOn: '2027-01-07' })
  const { body: item } = await as('reader').get(second['@id'])
  expect([first.loanBefore, item.loanBefore]).toEqual([null, first['@id']])
  const { body: loans } = await as('reader').get(`/loans?book=${book}&properties[]=loanBefore`)
  expect(loans.member.map((loan: { loanBefore: string }) => loan.loanBefore).sort()).toEqual(
    [first['@id'], null].sort(),
  )
  const { body: documentation } = await as('reader').get('/docs.jsonopenapi')
  expect(documentation.components.schemas.Loan.properties.loanBefore).toMatchObject({ type: ['string', 'null'] })
})

test('a loan of a book of another library is refused with 422', async () => {
  const book = await givenBook(village)
  const { status, body } = await as('librarian').post('/loans', { book, dueOn: '2026-12-24' })
  expect(status).toBe(422)
  expect(body.violations).toEqual([
    { propertyPath: 'book', message: `"${book}" is not the IRI of a known Book.`, code: 'unknownReference' },
  ])
})

test('an unknown book and a broken rule are both violations', async () => {
  const book = '/books/019b8a6c-4000-7000-8000-0000000000ff'
  const { status, body } = await as('librarian').post('/loans', { book, dueOn: 'tomorrow' })
  expect([status, body.violations.map(({ propertyPath }: { propertyPath: string }) => propertyPath)]).toEqual([
    422,
    ['book', 'dueOn'],
  ])
})

test('a loan of an unknown book stores nothing, and a repetition with its Idempotency-Key is refused alike', async () => {
  const loan = { book: '/books/019b8a6c-4000-7000-8000-0000000000fe', dueOn: '2026-12-24' }
  const stored = () => database.manager.count(Loan)
  const before = await stored()
  for (const headers of [{}, { 'idempotency-key': 'unknown-book' }, { 'idempotency-key': 'unknown-book' }]) {
    const { status, body } = await as('librarian').post('/loans', loan, headers)
    expect([status, body.violations[0].code]).toEqual([422, 'unknownReference'])
  }
  expect(await stored()).toBe(before)
})

test('a reader may not add a book', async () => {
  const { status, body } = await as('reader').post('/books', { name: 'Mine', pages: 1 })
  expect([status, body.detail]).toEqual([403, 'This is for the role librarian; yours is reader.'])
})

test('a request without a token is refused with 401', async () => {
  const { status, headers } = await as().get('/books')
  expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer'])
})

test('a book of another library is not found', async () => {
  const book = await givenBook(village)
  expect((await as('reader').get(book)).status).toBe(404)
  expect((await as('reader', village).get(book)).status).toBe(200)
})

test('a repeated Idempotency-Key returns the first response', async () => {
  const body = { name: 'Once', pages: 3 }
  const first = await as('librarian').post('/books', body, { 'idempotency-key': 'once' })
  const second = await as('librarian').post('/books', body, { 'idempotency-key': 'once' })
  expect([first.status, second.status, second.body]).toEqual([201, 201, first.body])
  expect(second.headers['idempotent-replayed']).toBe('true')
})

test('the documentation names the library, its roles and its classes', async () => {
  const { status, body } = await as().get('/docs.jsonld')
  expect([status, body.title]).toEqual([200, 'Library'])
  const classes = Object.fromEntries(body.supportedClass.map((one: { title: string }) => [one.title, one]))
  expect(classes.Book).toMatchObject({ '@id': '#Book', subClassOf: 'schema:Book' })
  expect(
    classes.Book.supportedOperation.map(({ method, roles }: { method: string; roles: string[] }) => [method, roles]),
  ).toEqual([
    ['GET', ['reader', 'librarian']],
    ['PATCH', ['librarian']],
    ['DELETE', ['librarian']],
  ])
  expect(JSON.stringify(body)).not.toMatch(/organization/i)
})

test('a deprecated operation says so in each of its responses, also in those that refuse', async () => {
  const link = '<https://library.example/loans>; rel="deprecation"; type="text/html"'
  for (const reader of [as('reader'), as()]) {
    const { headers } = await reader.get('/loans')
    expect(headers).toMatchObject({ deprecation: '@1769817600', sunset: 'Sun, 31 Jan 2027 00:00:00 GMT' })
    expect(headers.link).toContain(link)
  }
  const { headers } = await as('reader').get('/books')
  expect([headers.deprecation, headers.sunset]).toEqual([undefined, undefined])
  expect(headers.link ?? '').not.toContain('deprecation')
})

test('the documentation and OpenAPI mark a deprecated operation, and name its replacement', async () => {
  const { body: hydra } = await as().get('/docs.jsonld')
  const entrypoint = JSON.stringify(hydra)
  expect(entrypoint.match(/"owl:deprecated":true/g)).toHaveLength(1)
  expect(entrypoint).toMatch(/"@id":"#listLoan",[^{}]*"owl:deprecated":true/)
  const { body: openapi } = await as().get('/docs.jsonopenapi')
  expect(openapi.paths['/loans'].get).toMatchObject({
    deprecated: true,
    description: expect.stringMatching(
      /Deprecated since 2026-01-31, and may stop working on 2027-01-31: see https:\/\/library\.example\/loans\.$/,
    ),
  })
  expect(openapi.paths['/books'].get).not.toHaveProperty('deprecated')
})

test.each([
  ['2026-02-30', undefined, '"2026-02-30" must be a day such as 2027-03-31.'],
  ['2026-02-28', '2026-02-28', 'The sunset 2026-02-28 is not after 2026-02-28.'],
])('a deprecation since %s with the sunset %s stops the boot with a sentence', (since, sunset, message) => {
  const deprecated = { since, sunset, page: 'https://library.example/loans' }
  const contexts = new URL('./contexts/', import.meta.url)
  const roles = { all: ['anonymous', 'reader'], tenant: ['reader'], anonymous: 'anonymous' }
  const tenancy = { column: 'libraryId', name: 'library', claim: 'library' }
  const table = [new Resource(Book, '/books', [{ ...listOperation<Book>(), deprecated }])] as never
  const options = { roles, contexts, tenancy, publicUrl, info: {} } as never
  expect(() => new Api(table, database, options).router({} as never)).toThrow(message)
})

test('a role that the application does not have stops the boot with a sentence', async () => {
  const table = [new Resource(Book, '/books', [{ ...listOperation<Book>(), may: ['janitor'] }])] as never
  const roles = { all: ['anonymous', 'reader'], tenant: ['reader'], anonymous: 'anonymous' }
  const contexts = new URL('./contexts/', import.meta.url)
  expect(() => new Api(table, database, { roles, contexts, publicUrl } as never)).toThrow(
    '"/books" names the role "janitor", which this API does not have.',
  )
})

test('totals by another column than that of the tenants stop the boot with a sentence', async () => {
  const table = [new Resource(Book, '/books', [listOperation<Book>()])] as never
  const roles = { all: ['anonymous', 'reader'], tenant: ['reader'], anonymous: 'anonymous' }
  const contexts = new URL('./contexts/', import.meta.url)
  const tenancy = { column: 'shelf', name: 'shelf', claim: 'shelf' }
  expect(() => new Api(table, database, { roles, contexts, tenancy, publicUrl } as never)).toThrow(
    'Book.totalsBy is "libraryId", and the column of tenants is "shelf": use the same.',
  )
})

test('class-transformer stays at the versions whose private storage the engine can read', async () => {
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'))
  expect(dependencies['class-transformer']).toBe('^0.5.1')
  expect(defaultMetadataStorage.findTypeMetadata(Loan, 'book').typeFunction()).toBe(Book)
})

async function administer(sql: string): Promise<void> {
  const client = new Client({ host, port, user, database: 'postgres' })
  client.on('error', () => {})
  await client.connect()
  await client.query(sql)
  await client.end()
}
