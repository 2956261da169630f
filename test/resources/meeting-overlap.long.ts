import type { Response, Test } from 'supertest'
import { AuditEvent, Employee, Meeting, OrganizationConfig } from '../../entities/index.ts'
import { Overlap1764000000103 } from '../../src/migrations/1764000000103-overlap.ts'
import { counted, deleteRows } from '../support/rows/counted-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { as, database, foundTenant, given } = await openWorld()

const hour = 60 * 60 * 1000
let tenantCount = 0

/** A tenant whose meetings may overlap or not, with an employee to plan for. */
async function planning(setting: 'allow' | 'reject') {
  const tenant = await foundTenant(`Planner ${++tenantCount}`, `planner-${tenantCount}`)
  const own = { organizationId: tenant.organization.id }
  const ada = await given(Employee, { ...own, name: 'Ada', user: tenant.users.member })
  const config = await database.manager.findOneByOrFail(OrganizationConfig, { ...own, key: 'meetingOverlap' })
  const owner = as(tenant.users.owner)
  const path = `/organization-configs/${config.id}`
  if (setting === 'reject') await owner.patch(path, { value: 'reject' }).expect(200)
  return {
    tenant,
    own,
    ada,
    owner,
    employee: `/employees/${ada.id}`,
    turn: (value: string) => owner.patch(path, { value }),
  }
}

/** A window of some hours of a day, in this many days from now. */
function from(start: number, end: number, days = 30): { dateFrom: string; dateTo: string } {
  const day = Math.floor(Date.now() / (24 * hour) + days) * 24 * hour
  return { dateFrom: new Date(day + start * hour).toISOString(), dateTo: new Date(day + end * hour).toISOString() }
}

test('meetings of one employee may overlap unless the organization rejects that', async () => {
  const { owner, employee } = await planning('allow')
  for (let count = 0; count < 3; count++)
    expect((await owner.post('/meetings', { employee, ...from(10, 11) })).status).toBe(201)
})

test('then the second is refused, naming the first', async () => {
  const { owner, employee } = await planning('reject')
  const first = await owner.post('/meetings', { employee, ...from(10, 12) })
  expect(first.status).toBe(201)
  for (const [start, end] of [
    [10, 12],
    [9, 11],
    [11, 13],
    [10.5, 11.5],
    [9, 13],
    [11.999, 12.5],
    [0, 24],
  ]) {
    const { status, body } = await owner.post('/meetings', { employee, ...from(start, end) })
    expect([start, end, status]).toEqual([start, end, 409])
    expect(body.detail).toBe(
      `It overlaps another meeting of the employee, ${first.body['@id']}, and "meetingOverlap" is "reject".`,
    )
  }
})

test('meetings that touch, that have other employees or none do not overlap', async () => {
  const { owner, employee, own } = await planning('reject')
  const bob = `/employees/${(await given(Employee, { ...own, name: 'Bob' })).id}`
  for (const window of [from(10, 11), from(11, 12), from(9, 10), from(12, 12.001)])
    expect((await owner.post('/meetings', { employee, ...window })).status).toBe(201)
  expect((await owner.post('/meetings', { employee: bob, ...from(10, 12) })).status).toBe(201)
  for (let count = 0; count < 3; count++)
    expect((await owner.post('/meetings', { employee: null, ...from(10, 11) })).status).toBe(201)
  const other = await planning('allow')
  for (let count = 0; count < 2; count++)
    expect((await other.owner.post('/meetings', { employee: other.employee, ...from(10, 11) })).status).toBe(201)
})

test('a PATCH is refused for the same reasons, and one that moves nothing is not', async () => {
  const { owner, employee } = await planning('reject')
  const first = (await owner.post('/meetings', { employee, ...from(10, 11) })).body['@id']
  const second = (await owner.post('/meetings', { employee, ...from(12, 13) })).body['@id']
  const free = (await owner.post('/meetings', { employee: null, ...from(10, 11) })).body['@id']

  for (const [path, change] of [
    [second, { dateFrom: from(10, 11).dateFrom }],
    [second, from(10.5, 13)],
    [free, { employee }],
  ] as const) {
    const { status, body } = await owner.patch(path, change)
    expect([status, body.detail]).toEqual([409, expect.stringContaining(first)])
  }
  expect((await owner.patch(first, { notes: 'x', ...from(10, 11) })).status).toBe(200)
  expect((await owner.patch(first, from(10.5, 11.5))).status).toBe(200)
  expect((await owner.patch(second, { employee: null, ...from(10, 11) })).status).toBe(200)
})

test('a member is told so of its own meetings, too', async () => {
  const { tenant, employee } = await planning('reject')
  const member = as(tenant.users.member)
  const first = await member.post('/meetings', { employee, ...from(10, 11) })
  expect((await member.post('/meetings', { employee, ...from(10, 11) })).body.detail).toContain(first.body['@id'])
})

/** Sends a request again while the server is too busy for it, as clients do. */
async function persistently(send: () => Test): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const answer = await send()
    if (answer.status !== 503 || tries === 20) return answer
  }
}

test('of 200 that want the same hour at once one gets it', async () => {
  const { owner, employee, own } = await planning('reject')
  const start = performance.now()
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      persistently(() => owner.post('/meetings', { employee, ...from(10 + (n % 7) / 10, 11.5) })),
    ),
  )
  const [won, lost] = [201, 409].map((status) => answers.filter((answer) => answer.status === status))
  expect([won.length, lost.length]).toEqual([1, 199])
  for (const { body } of lost) expect(body.detail).toContain(won[0].body['@id'])
  expect(await database.manager.countBy(Meeting, own)).toBe(1)
  if (process.env.TELL) console.log({ took: performance.now() - start })
})

test('of 50 with a key each, and 50 that are moved there, one gets it', async () => {
  const { owner, employee, own } = await planning('reject')
  const elsewhen = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      persistently(() => owner.post('/meetings', { employee, ...from(1, 2, n + 40) })),
    ),
  )
  const answers = await Promise.all([
    ...Array.from({ length: 50 }, (_, n) =>
      persistently(() =>
        owner.post('/meetings', { employee, ...from(10, 11) }).set('Idempotency-Key', `${tenantCount}-${n}`),
      ),
    ),
    ...elsewhen.map(({ body }) => persistently(() => owner.patch(body['@id'], from(10, 11)))),
  ])
  expect(answers.filter(({ status }) => status < 300)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(99)
  expect(await overlapping(own)).toBe(0)
})

test('rejecting is refused while meetings overlap that are not over, saying how many', async () => {
  const { owner, employee, own, turn } = await planning('allow')
  const posted = []
  for (const window of [from(10, 12), from(11, 13), from(12.5, 14), from(14, 15)])
    posted.push((await owner.post('/meetings', { employee, ...window })).body['@id'])
  const refused = await turn('reject')
  expect([refused.status, refused.body.detail]).toEqual([
    409,
    expect.stringMatching(
      /^Current or future meetings overlap others of the same employee: 2, such as \/meetings\/\S+\. Move them first\.$/,
    ),
  ])
  expect(posted.slice(1, 3)).toContain(/\/meetings\/[0-9a-f-]+/.exec(refused.body.detail)?.[0])
  expect(await database.manager.countBy(AuditEvent, own)).toBe(0)
  expect((await owner.post('/meetings', { employee, ...from(10, 12) })).status).toBe(201)

  const [, second, third] = posted
  await owner.patch(second, { employee: null }).expect(200)
  await owner.patch(third, { employee: null }).expect(200)
  expect((await turn('reject')).body.detail).toContain(': 1, such as')
  await deleteRows(database, 'meeting', '"organizationId" = $1 AND "id" = $2', [
    own.organizationId,
    (await newest(own)).id,
  ])
  expect((await turn('reject')).body.value).toBe('reject')
  expect((await owner.patch(second, { employee })).status).toBe(409)
})

test('past overlapping meetings stay, and can be changed in all but their time', async () => {
  const { owner, employee, ada, own, turn } = await planning('allow')
  const past = await given(Meeting, { ...own, employee: ada, ...morning })
  const other = await given(Meeting, { ...own, employee: ada, ...morning })
  expect((await turn('reject')).status).toBe(200)
  for (const { id } of [past, other]) expect((await owner.patch(`/meetings/${id}`, { notes: 'x' })).status).toBe(200)
  const moved = { dateTo: new Date(morning.dateTo.getTime() + hour).toISOString() }
  expect((await owner.patch(`/meetings/${other.id}`, moved)).status).toBe(409)
  const window = { dateFrom: morning.dateFrom.toISOString(), dateTo: morning.dateTo.toISOString() }
  expect((await owner.post('/meetings', { employee, ...window })).status).toBe(409)
})

test('allowing it again allows it, and rejecting it again rejects it', async () => {
  const { owner, employee, turn } = await planning('reject')
  await owner.post('/meetings', { employee, ...from(10, 11) }).expect(201)
  await turn('allow').expect(200)
  const { body } = await owner.post('/meetings', { employee, ...from(10, 11) }).expect(201)
  expect((await turn('reject')).status).toBe(409)
  await owner.patch(body['@id'], from(11, 12)).expect(200)
  await turn('reject').expect(200)
  await turn('reject').expect(200)
  expect((await owner.post('/meetings', { employee, ...from(10, 11) })).status).toBe(409)
})

test('meetings planned during the switch leave no overlap', async () => {
  for (let round = 0; round < 8; round++) {
    const { owner, employee, own, turn } = await planning('allow')
    const first = (await owner.post('/meetings', { employee, ...from(1, 2) })).body['@id']
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, () => owner.post('/meetings', { employee, ...from(10, 11) })),
      turn('reject'),
      owner.patch(first, from(10.5, 12)),
      ...Array.from({ length: 6 }, () => owner.post('/meetings', { employee, ...from(10, 11) })),
    ])
    for (const { status } of answers) expect([200, 201, 409]).toContain(status)
    const config = await database.manager.findOneByOrFail(OrganizationConfig, { ...own, key: 'meetingOverlap' })
    if (config.value === 'reject') expect(await overlapping(own)).toBe(0)
    expect(await database.manager.countBy(Meeting, { ...own, exclusive: config.value === 'allow' })).toBe(0)
  }
})

test('a past meeting that is moved into the future is kept apart there', async () => {
  const { owner, employee, ada, own, turn } = await planning('allow')
  const { id } = await given(Meeting, { ...own, employee: ada, ...morning })
  await turn('reject').expect(200)
  await owner.patch(`/meetings/${id}`, from(10, 11)).expect(200)
  const { status, body } = await owner.post('/meetings', { employee, ...from(10, 11) })
  expect([status, body.detail]).toEqual([409, expect.stringContaining(id)])
})

test('meetings that change their employee and hour while the setting is switched leave no overlap', async () => {
  const { owner, own, employee, turn } = await planning('reject')
  const bob = `/employees/${(await given(Employee, { ...own, name: 'Bob' })).id}`
  const posted = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      owner.post('/meetings', { employee: n % 2 ? employee : bob, ...from(1, 2, 40 + n) }),
    ),
  )
  for (let round = 0; round < 4; round++) {
    const answers = await Promise.all([
      ...posted.map(({ body }, n) =>
        owner.patch(body['@id'], {
          employee: (n + round) % 3 ? bob : employee,
          ...from(10 + (n % 3) / 2, 11 + (n % 3) / 2),
        }),
      ),
      turn('allow'),
      owner.post('/meetings', { employee, ...from(10, 12) }),
      turn('reject'),
    ])
    for (const { status } of answers) expect([200, 201, 409]).toContain(status)
    const { value } = await database.manager.findOneByOrFail(OrganizationConfig, { ...own, key: 'meetingOverlap' })
    if (value === 'reject') expect(await overlapping(own)).toBe(0)
    expect(await database.manager.countBy(Meeting, { ...own, exclusive: value === 'allow' })).toBe(0)
  }
})

test('the former triggers keep the same meetings apart after the migration is undone', async () => {
  const { own, ada, owner, employee } = await planning('reject')
  await owner.post('/meetings', { employee, ...from(10, 11) }).expect(201)
  const migration = new Overlap1764000000103()
  const runner = database.createQueryRunner()
  await migration.down(runner)
  const clash = given(Meeting, {
    ...own,
    employee: ada,
    dateFrom: new Date(from(10, 11).dateFrom),
    dateTo: new Date(from(10, 11).dateTo),
  })
  await expect(clash).rejects.toMatchObject({ constraint: 'meeting:overlap' })
  await migration.up(runner)
  await runner.release()
  expect((await owner.post('/meetings', { employee, ...from(10, 11) })).status).toBe(409)
})

test('20,000 meetings, half of them over, are switched while others plan on', async () => {
  const { own, ada, turn } = await planning('allow')
  const other = await planning('reject')
  await database.query(
    counted(
      database,
      'meeting',
      `INSERT INTO "meeting" ("id", "createdAt", "updatedAt", "version", "organizationId", "employeeId", "dateFrom", "dateTo")
      SELECT gen_random_uuid(), now(), now(), 1, $1, $2, "from", "from" + interval '10 minutes'
        FROM (SELECT now() + (n - 10000) * interval '10 minutes' AS "from" FROM generate_series(1, 20000) n) AS made`,
    ),
    [own.organizationId, ada.id],
  )
  const start = performance.now()
  const [switched, ...planned] = await Promise.all([
    turn('reject'),
    ...[1, 2, 3].map((n) => other.owner.post('/meetings', { employee: other.employee, ...from(n, n + 1) })),
  ])
  if (process.env.TELL) console.log({ switched: performance.now() - start })
  expect(switched.status).toBe(200)
  expect(planned.map(({ status }) => status)).toEqual([201, 201, 201])
})

async function newest({ organizationId }: { organizationId: string }): Promise<Meeting> {
  return database.manager.findOneOrFail(Meeting, { where: { organizationId }, order: { id: 'DESC' } })
}

/** How many pairs of an organization's meetings overlap for one employee. */
async function overlapping({ organizationId }: { organizationId: string }): Promise<number> {
  const [{ pairs }] = await database.query(
    `SELECT count(*)::int AS "pairs" FROM "meeting" a JOIN "meeting" b ON a."organizationId" = b."organizationId"
        AND a."employeeId" = b."employeeId" AND a."id" < b."id" AND a."dateFrom" < b."dateTo" AND b."dateFrom" < a."dateTo"
      WHERE a."organizationId" = $1`,
    [organizationId],
  )
  return pairs
}
