import 'reflect-metadata'
import { Type } from 'class-transformer'
import { IsInt, IsNotEmpty, IsString, Length, Matches, Min } from 'class-validator'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { Column, DataSource, Entity, ForeignKey, ManyToOne, PrimaryColumn, Unique, VersionColumn } from 'typeorm'
import { v7 as uuid } from 'uuid'
import {
  Api,
  type Caller,
  createEngineTables,
  createOperation,
  listOperation,
  type Operation,
  Problem,
  Resource,
  readOperation,
  removeOperation,
  updateOperation,
} from '../../src/hydra/index.ts'

/** The engine reads these columns of each row. */
abstract class Row {
  @PrimaryColumn('uuid')
  id: string = uuid()

  @Column('uuid')
  libraryId: string

  @Column('timestamp with time zone', { precision: 3 })
  updatedAt: Date = new Date()

  @VersionColumn()
  version: number
}

@Entity()
@Unique(['libraryId', 'id'])
export class Book extends Row {
  /** Totals are kept for each library. */
  static readonly totalsBy = 'libraryId'

  @Column('text')
  @IsString()
  @Length(1, 200)
  name: string

  @Column('int')
  @IsInt()
  @Min(1)
  pages: number

  /** The first letter of the name; the database computes it. */
  @Column('text')
  shelf: string
}

/** A loan names a book of its own library: its foreign key includes the library. */
@Entity()
@ForeignKey(() => Book, ['libraryId', 'bookId'], ['libraryId', 'id'])
export class Loan extends Row {
  @ManyToOne(() => Book, { nullable: false, createForeignKeyConstraints: false })
  @Type(() => Book)
  @IsNotEmpty()
  book: Book

  @Column('uuid')
  bookId: string

  @Column('date')
  @Matches(/^\d{4}-\d\d-\d\d$/)
  dueOn: string

  /** The loan of the same book before this one. SQL computes it. */
  @Type(() => Loan)
  loanBefore: Loan | null
}

/** Restricts an operation to librarians. */
const librarian = <E extends object>(operation: Operation<E>): Operation<E> => ({ ...operation, may: ['librarian'] })

/** Loans are to be read one by one. */
const deprecated = { since: '2026-01-31', sunset: '2027-01-31', page: 'https://library.example/loans' }

const resources = [
  new Resource(
    Book,
    '/books',
    [
      listOperation<Book>(),
      readOperation<Book>(),
      librarian(createOperation<Book>({ expressions: { shelf: 'upper(left(:name, 1))' } })),
      librarian(updateOperation<Book>()),
      librarian(removeOperation<Book>()),
    ],
    { filters: { name: 'partial', pages: 'range' }, order: ['name'] },
  ),
  new Resource(
    Loan,
    '/loans',
    [{ ...listOperation<Loan>(), deprecated }, readOperation<Loan>(), librarian(createOperation<Loan>())],
    {
      filters: { book: 'reference' },
      computed: {
        loanBeforeId: `SELECT "id" FROM "loan" "earlier" WHERE "earlier"."libraryId" = "loan"."libraryId"
        AND "earlier"."bookId" = "loan"."bookId" AND "earlier"."id" < "loan"."id" ORDER BY "id" DESC LIMIT 1`,
      },
    },
  ),
] as Resource[]

/** The tables of the library, beside those of the engine. */
export async function openDatabase(address: { host: string; port: number; username: string; database: string }) {
  const database = new DataSource({
    type: 'postgres',
    ...address,
    entities: [Book, Loan],
    installExtensions: false,
    extra: { max: 4, options: '-c timezone=UTC' },
  })
  await database.initialize()
  await database.synchronize()
  const runner = database.createQueryRunner()
  // A migration may run again where a database has the tables already: the second call changes nothing.
  for (const _ of ['first', 'again']) await createEngineTables(runner, { tenantColumn: 'libraryId' })
  await runner.release()
  return database
}

/** A token is `<role> <user> <library>`: the example has no secrets. */
async function authenticate({ headers }: { headers: { authorization?: string } }): Promise<Caller> {
  const [, role, user, library] = headers.authorization?.split(' ') ?? []
  if (!role) return { role: 'anonymous', user: null, tenant: null }
  return { role, user, tenant: library, bearer: { issuer: 'urn:library', subject: user } }
}

/** The application: the public face of the engine, Express, and nothing else of this project. */
export function createLibrary(database: DataSource, publicUrl: string): Express {
  const api = new Api(resources, database, {
    publicUrl,
    info: { title: 'Library', description: 'Books, and the readers who have them.' },
    exampleId: '019b8a6c-4000-7000-8000-000000000002',
    contexts: new URL('./contexts/', import.meta.url),
    roles: { all: ['anonymous', 'reader', 'librarian'], tenant: ['reader', 'librarian'], anonymous: 'anonymous' },
    tenancy: { column: 'libraryId', name: 'library', claim: 'library' },
  })
  const errors: ErrorRequestHandler = (error, _request, response, _next) =>
    api.writeProblem(api.problemOf(error) ?? new Problem(500, String(error)), response)
  return express().use(api.router({ authenticate }), api.documents({ authenticate }), errors)
}
