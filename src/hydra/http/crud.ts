import { indefiniteArticle } from '../model/article.ts'
import { createEntity } from '../model/entity.ts'
import type { Call, Operation, Outcome, Prepare } from '../model/operation.ts'

/** What a resource adds to the plain ways of writing it. */
export interface Hooks<E extends object> {
  writes?: Operation['writes']
  prepare?: Prepare<E>
  /** What is written with it, in the same transaction; `before` is the state that was read. */
  along?(call: Call<E>, after: E, before?: E): Promise<void>
}

/** Names are read by people: "a meeting", "an employee". */
const a = (name: string) => `${indefiniteArticle(name)} ${operationTitles(name)}`

/** The words of a class name: `OrganizationUser` → "organization user". */
export function operationTitles(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
}

export const list: Operation = {
  name: 'list',
  method: 'GET',
  path: '',
  title: (name) => `Lists what there is of ${operationTitles(name)}, a page at a time`,
  returns: 'collection',
  statuses: [200, 304],
  handle: (call) => call.page(),
}

export const read: Operation = {
  name: 'read',
  method: 'GET',
  path: '/:id',
  title: (name) => `Shows ${a(name)}`,
  returns: 'item',
  statuses: [200, 304, 404],
  handle: (call) => call.show(),
}

export const create = creating({})

export const update = updating({})

export const remove = removing({})

/** A create that does more than store what was sent. */
export function creating<E extends object>({ writes, prepare, along }: Hooks<E>): Operation<E> {
  return {
    name: 'create',
    method: 'POST',
    path: '',
    title: (name) => `Adds ${a(name)}`,
    expects: 'self',
    returns: 'item',
    statuses: [201, 400, 409, 413, 415, 422],
    writes,
    async handle(call) {
      const entity = createEntity(call.shape.class) as E
      Object.assign(entity, { organizationId: call.caller.organization })
      const draft = await call.read(entity, false, prepare && ((read) => prepare(read, call)))
      return write(call, along, async () => {
        await call.insert(draft)
        await along?.(call, draft)
        return draft
      })
    },
  }
}

/** An update that does more than store what was sent. */
export function updating<E extends object>({ writes, prepare, along }: Hooks<E>): Operation<E> {
  return {
    name: 'update',
    method: 'PATCH',
    path: '/:id',
    title: (name) => `Changes ${a(name)}, only what is sent`,
    expects: 'self',
    returns: 'item',
    statuses: [200, 400, 404, 409, 412, 413, 415, 422],
    writes,
    handle: (call) => patch(call, { prepare, along }),
  }
}

/** A removal that is written down, or refused, by more than the database's own rules. */
export function removing<E extends object>({ along }: Pick<Hooks<E>, 'along'>): Operation<E> {
  return {
    name: 'remove',
    method: 'DELETE',
    path: '/:id',
    title: (name) => `Removes ${a(name)}`,
    returns: 'nothing',
    statuses: [204, 404, 409, 412],
    async handle(call) {
      const entity = await call.find()
      call.match(entity)
      return write(call, along, async () => {
        await along?.(call, entity)
        await call.remove(entity)
        return undefined
      })
    },
  }
}

async function patch<E extends object>(call: Call<E>, { prepare, along }: Hooks<E>): Promise<E> {
  const before = await call.find()
  call.match(before)
  const after = await call.read(before, true, prepare && ((draft) => prepare(draft, call)))
  return write(call, along, async () => {
    await call.save(before, after)
    await along?.(call, after, before)
    return after
  }) as Promise<E>
}

/** What is written along with the entity shares its transaction; a single statement is its own. */
function write<E extends object>(
  call: Call<E>,
  along: unknown,
  work: () => Promise<Outcome<object>>,
): Promise<Outcome<object>> {
  return along ? call.transaction(work) : call.statement(work)
}
