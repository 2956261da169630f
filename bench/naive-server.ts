import 'reflect-metadata'
import { readFileSync } from 'node:fs'
import { Expose, instanceToPlain, plainToInstance, Transform } from 'class-transformer'
import { validate } from 'class-validator'
import express, { type Request } from 'express'
import { Employee, Meeting } from '../entities/index.ts'
import { connectTo } from '../ormconfig.ts'
import { context, instantOf, pageDocument, pageRequestOf, type Tenants } from './documents.ts'

/** The usual way: Express, TypeORM's repositories with relations, and class-transformer for both directions. */
const database = await connectTo({ url: process.env.DATABASE_URL as string }, 10).initialize()
const meetings = database.getRepository(Meeting)
const employees = database.getRepository(Employee)
const tenants: Tenants = JSON.parse(readFileSync(process.env.TENANTS as string, 'utf8'))
const relations = { employee: true }

/** A meeting as a response shows it. */
class MeetingView {
  @Expose({ name: '@id' })
  @Transform(({ obj }) => `/meetings/${obj.id}`, { toClassOnly: true })
  iri: string

  @Expose({ name: '@type' })
  @Transform(() => 'Meeting', { toClassOnly: true })
  type: string

  @Expose()
  @Transform(({ obj }) => obj.employee && `/employees/${obj.employee.id}`, { toClassOnly: true })
  employee: string | null

  @Expose()
  @Transform(({ value }) => instantOf(value), { toPlainOnly: true })
  dateFrom: Date

  @Expose()
  @Transform(({ value }) => instantOf(value), { toPlainOnly: true })
  dateTo: Date

  @Expose()
  notes: string | null

  @Expose()
  @Transform(({ value }) => instantOf(value), { toPlainOnly: true })
  time: Date | null
}

const view = (meeting: Meeting) =>
  instanceToPlain(plainToInstance(MeetingView, meeting, { excludeExtraneousValues: true }))

const app = express()
app.use(express.json({ type: ['application/ld+json', 'application/merge-patch+json'] }))

app.get('/meetings', async (request, response) => {
  const organizationId = organizationOf(request)
  const wanted = pageRequestOf(request.originalUrl)
  const [rows, total] = await meetings.findAndCount({
    where: { organizationId, ...(wanted.employee && { employeeId: wanted.employee }) },
    relations,
    order: { id: 'ASC' },
    skip: (wanted.page - 1) * 30,
    take: 30,
  })
  const document = await pageDocument(wanted, rows, rows.map(view), total, request.headers.authorization as string)
  response.type('application/ld+json').json(document)
})

app.get('/meetings/:id', async (request, response) => {
  const meeting = await find(request)
  response.type('application/ld+json').json({ ...context, ...view(meeting) })
})

app.post('/meetings', async (request, response) => {
  const organizationId = organizationOf(request)
  const { employee, ...body } = request.body
  const meeting = plainToInstance(Meeting, body as object)
  meeting.organizationId = organizationId
  meeting.employee = await employees.findOneByOrFail({ organizationId, id: employee.slice('/employees/'.length) })
  await save(meeting)
  response
    .status(201)
    .type('application/ld+json')
    .json({ ...context, ...view(meeting) })
})

app.patch('/meetings/:id', async (request, response) => {
  const meeting = meetings.merge(await find(request), request.body)
  await save(meeting)
  response.type('application/ld+json').json({ ...context, ...view(meeting) })
})

function organizationOf({ headers }: Request): string {
  return tenants[headers.authorization as string]
}

function find(request: Request<{ id: string }>): Promise<Meeting> {
  return meetings.findOneOrFail({
    where: { organizationId: organizationOf(request), id: request.params.id },
    relations,
  })
}

async function save(meeting: Meeting): Promise<void> {
  const [violation] = await validate(meeting)
  if (violation) throw new Error(`The meeting is invalid: ${violation}`)
  await meetings.save(meeting)
}

app.listen(Number(process.env.PORT), '127.0.0.1')
