import 'reflect-metadata'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import fc from 'fast-check'
import { Client } from 'pg'
import request from 'supertest'
import {
  Column,
  DataSource,
  Entity,
  ForeignKey,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  Unique,
  VersionColumn,
} from 'typeorm'
import { v7 as uuid } from 'uuid'
import { Api, createEngineTables, listOperation, Problem, Resource, readOperation } from '../../src/hydra/index.ts'

@Entity()
@Unique(['libraryId', 'id'])
@ForeignKey(() => Sample, ['libraryId', 'sampleId'], ['libraryId', 'id'])
class Sample {
  @PrimaryColumn('uuid')
  id: string

  @Column('uuid')
  libraryId: string

  @VersionColumn()
  version: number

  @ManyToOne(() => Sample, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'sampleId', referencedColumnName: 'id' })
  sample: Sample | null

  @Column('uuid', { nullable: true })
  sampleId: string | null

  @Column('text', { nullable: true })
  text: string | null

  @Column('timestamp with time zone', { nullable: true })
  at: Date | null

  @Column('date', { nullable: true })
  day: string | null

  @Column('numeric', { nullable: true })
  decimal: string | null

  @Column('smallint', { nullable: true })
  small: number | null

  @Column('int', { nullable: true })
  whole: number | null

  @Column('bigint', { nullable: true })
  large: number | null

  @Column('boolean', { nullable: true })
  flag: boolean | null

  @Column('jsonb', { nullable: true })
  free: unknown

  @Column('text', { array: true, nullable: true })
  list: string[] | null

  @Column('text', { nullable: true })
  page: string | null

  @Column('text', { nullable: true })
  secret: string | null
}

const { host, port, user } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
const name = `written_${process.pid}_${Date.now()}`
const library = '019b8a6c-4000-7000-8000-00000000000a'
const server = createServer()
const root = '/under/a "path"'
let database: DataSource
let publicUrl: string

beforeAll(async () => {
  const client = new Client({ host, port, user, database: 'postgres' })
  await client.connect()
  await client.query(`CREATE DATABASE "${name}" TEMPLATE "template0"`)
  await client.end()
  database = await new DataSource({
    type: 'postgres',
    ...{ host, port, username: user, database: name, entities: [Sample], installExtensions: false },
    extra: { max: 2, options: '-c timezone=UTC' },
  }).initialize()
  await database.synchronize()
  const runner = database.createQueryRunner()
  await createEngineTables(runner, { tenantColumn: 'libraryId' })
  await runner.release()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const resource = new Resource(Sample, '/samples', [listOperation<Sample>(), readOperation<Sample>()], {
    hidden: { guest: ['secret', 'sample'] },
    masked: { reader: { secret: (text) => `${text.slice(0, 1)}•…`, text: (text) => text.slice(0, 3) } },
  })
  const api = new Api([resource] as Resource[], database, {
    publicUrl: `${publicUrl}${encodeURI(root)}`,
    info: { title: 'Samples', description: 'Rows with odd values.' },
    exampleId: library,
    contexts: new URL('./contexts/', import.meta.url),
    roles: { all: ['anonymous', ...roles], tenant: roles, anonymous: 'anonymous' },
    tenancy: { column: 'libraryId', name: 'library', claim: 'library' },
  })
  const errors: ErrorRequestHandler = (error, _request, response, _next) =>
    api.writeProblem(api.problemOf(error) ?? new Problem(500, String(error)), response)
  const authenticate = async ({ headers }: { headers: { authorization?: string } }) => ({
    ...{ role: headers.authorization ?? 'anonymous', user: library, tenant: library },
    bearer: { issuer: 'urn:library', subject: library },
  })
  server.on('request', express().use(api.router({ authenticate }), errors))
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await database.destroy()
})

const roles = ['reader', 'librarian', 'guest']
const columns = ['sample', 'text', 'at', 'day', 'decimal', 'small', 'whole', 'large', 'flag', 'free', 'list', 'page']
const properties = ['id', ...columns, 'secret'].map((name) => `properties[]=${name}`).join('&')

/** Replaces the rows. A value is the text that Postgres reads. */
async function store(rows: Record<string, string | null>[]): Promise<void> {
  await database.query('DELETE FROM "sample"')
  const names = ['sampleId', ...columns.slice(1), 'secret']
  const given = rows.map(({ refersToItself, ...row }) => {
    const id = uuid()
    const values: Record<string, string | null> = { ...row, sampleId: refersToItself ? id : null }
    return [id, library, ...names.map((name) => values[name] ?? null)]
  })
  const places = given.map((values, n) => `(${values.map((_, m) => `$${n * values.length + m + 1}`).join()}, 1)`)
  if (given.length > 0)
    await database.query(
      `INSERT INTO "sample" ("id", "libraryId", ${names.map((name) => `"${name}"`).join()}, "version") VALUES ${places.join()}`,
      given.flat(),
    )
}

async function bodyOf(role: string, path: string, accept: string): Promise<string> {
  const sent = request(publicUrl).get(path).set({ authorization: role, accept }).buffer(true)
  const { status, text } = await sent
    .parse((response, done) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => done(null, Buffer.concat(chunks).toString()))
    })
    .then(({ status, body }) => ({ status, text: body as string }))
  expect([status, text]).toEqual([200, expect.any(String)])
  return text
}

/** The members of a page as they stand in its JSON. */
const membersIn = (body: string) =>
  body.slice(body.indexOf('"member":['), body.lastIndexOf(',"search":')).replace(/,"view":.*$/s, '')

/** A selection of all properties is written from entities; the whole page is written from rows. */
async function compare(): Promise<string> {
  const page = '/samples?itemsPerPage=100'
  let seen = ''
  for (const accept of ['application/ld+json', 'application/json'])
    for (const role of roles) {
      const [rows, entities] = [await bodyOf(role, page, accept), await bodyOf(role, `${page}&${properties}`, accept)]
      expect(membersIn(rows)).toBe(membersIn(entities))
      if (role === 'librarian') seen = rows
    }
  return seen
}

const odd: Record<string, (string | null)[]> = {
  text: [
    '',
    '"\\/\b\f\n\r\t\u0001\u001f\u007f',
    '\u2028\u2029\ufeff\uffff',
    '😀 ẞ İ',
    '"member":[]',
    'null',
    '</script>',
  ],
  at: [
    ...[
      '2026-01-05 08:00:00+00',
      '2026-01-05 08:00:00.25+00',
      '2026-01-05 08:00:00.001+00',
      '2026-01-05 08:00:00.123456+00',
    ],
    ...['0999-12-31 23:59:59+00', '0001-01-01 00:00:00+00', '0044-03-15 12:00:00+00 BC', '12026-01-01 00:00:00.5+00'],
    ...['12026-01-01 00:00:00+00', 'infinity', '-infinity', '1969-12-31 23:59:59.999+00'],
  ],
  day: ['0001-01-01', '0044-03-15 BC', '9999-12-31', '12026-01-01', 'infinity', '-infinity'],
  decimal: ['0', '-0.00', '12.50', '1e30', 'NaN', 'Infinity', '-Infinity', '0.000000000000000000001'],
  small: ['0', '-32768', '32767'],
  whole: ['0', '-2147483648', '2147483647'],
  large: ['0', '9007199254740991', '-9007199254740991', '9223372036854775807'],
  flag: ['true', 'false'],
  free: ['null', '{}', '[]', '{"b": 1, "1": 2.50, "ä\\"": ["\\u2028", null, 1e3]}', '"text"', '0.1', 'true'],
  list: ['{}', '{"a","b \\" c",NULL,"NULL",""}', '{"{}", "1,2"}'],
  page: ['/images/1', 'https://example.org/?"', ''],
  secret: ['s3cret', '"', ''],
  refersToItself: ['yes'],
}

test('a page in JSON makes entities for its cursors only', async () => {
  await store(Array.from({ length: 9 }, (_, n) => ({ whole: `${n}` })))
  let made = 0
  const set = function (this: object, value: unknown) {
    made++
    Object.defineProperty(this, 'whole', { value, enumerable: true })
  }
  Object.defineProperty(Sample.prototype, 'whole', { set, configurable: true })
  const madeBy = async (role: string, query: string) => {
    made = 0
    await bodyOf(role, `/samples?itemsPerPage=6${query}`, 'application/json')
    return made
  }
  for (const role of roles) expect([await madeBy(role, ''), await madeBy(role, `&${properties}`)]).toEqual([2, 6])
  Reflect.deleteProperty(Sample.prototype, 'whole')
})

test('a page that is written from rows has the bytes of one that is written from entities, whatever the values', async () => {
  const names = Object.keys(odd)
  const most = Math.max(...names.map((name) => odd[name].length))
  await store([
    {},
    ...Array.from({ length: most }, (_, n) => Object.fromEntries(names.map((name) => [name, odd[name][n] ?? null]))),
  ])
  const { member } = JSON.parse(await compare())
  expect(member.map(({ at }: { at: string }) => at)).toEqual([
    null,
    ...['2026-01-05T08:00:00Z', '2026-01-05T08:00:00.250Z', '2026-01-05T08:00:00.001Z', '2026-01-05T08:00:00.123456Z'],
    ...['0999-12-31T23:59:59Z', '0001-01-01T00:00:00Z', '-000043-03-15T12:00:00Z', '+012026-01-01T00:00:00.500Z'],
    ...['+012026-01-01T00:00:00Z', null, null, '1969-12-31T23:59:59.999Z'],
  ])
  expect(member[2]).toMatchObject({ text: '"\\/\b\f\n\r\t\u0001\u001f\u007f', decimal: '0.00', large: 2 ** 53 - 1 })
})

test('an empty page and a page without properties of a role are written from rows alike', async () => {
  await store([])
  expect(JSON.parse(await compare())).toMatchObject({ totalItems: 0, member: [] })
})

test('any text that Postgres can store is written from a row as it is from an entity', async () => {
  const text = fc.string({ unit: 'binary' }).map((given) => given.replaceAll('\0', '').toWellFormed())
  const free = fc.jsonValue().map((value) => JSON.stringify(value).replaceAll('\\u0000', '').toWellFormed())
  const rows = fc.array(fc.record({ text, secret: text, page: text, free }), { minLength: 50, maxLength: 50 })
  const run = async (given: Record<string, string>[]) => {
    await store(given)
    const { member } = JSON.parse(await compare())
    expect(member.map((each: { text: string }) => each.text)).toEqual(given.map(({ text }) => text))
  }
  await fc.assert(fc.asyncProperty(rows, run), { numRuns: 3 })
})
