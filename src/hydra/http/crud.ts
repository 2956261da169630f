import { createEntity, type PlainEntity } from '../model/entity.ts'
import type { Call, Operation, Outcome, Prepare } from '../model/operation.ts'
import type { InsertOptions } from '../model/store.ts'
import { genericTitles } from './operation-titles.ts'

/** Hooks that a resource adds to a plain create, update or delete. */
export interface Hooks<E extends PlainEntity> {
  writes?: Operation['writes']
  prepare?: Prepare<E>
  /** Writes more rows in the transaction that writes the entity; `before` is the state that was read. */
  alsoWrite?(call: Call<E>, after: E, before?: E): Promise<void>
}

interface CreateHooks<E extends object> extends Hooks<E> {
  /** SQL expressions for columns of the inserted row, by property, as in `InsertOptions`. */
  expressions?: InsertOptions['expressions']
}

interface UpdateHooks<E extends object> extends Hooks<E> {
  /** Returns work to do before the update, in one transaction with it; undefined where a change needs none. */
  beforeUpdate?(call: Call<E>, before: E, after: E): (() => Promise<void>) | undefined
}

export function listOperation<E extends object>(): Operation<E> {
  return {
    name: 'list',
    method: 'GET',
    path: '',
    title: genericTitles.list,
    returns: 'collection',
    statuses: [200, 304],
    handle: (call) => call.page(),
  }
}

export function readOperation<E extends object>(): Operation<E> {
  return {
    name: 'read',
    method: 'GET',
    path: '/:id',
    title: genericTitles.read,
    returns: 'item',
    statuses: [200, 304, 404],
    handle: (call) => call.show(),
  }
}

/**
 * Handlers that only insert the row that they read, with one statement: the foreign keys of the row check its references. An operation
 * with another handler is not among them, also where it is made of a plain create.
 */
export const insertingHandlers = new WeakSet<Operation['handle']>()

/** A create with hooks. */
export function createOperation<E extends PlainEntity>({
  writes,
  prepare,
  alsoWrite,
  expressions,
}: CreateHooks<E> = {}): Operation<E> {
  async function handle(call: Call<E>): Promise<Outcome<object>> {
    const entity = createEntity(call.resource.shape.class) as E
    Object.assign(entity, { [call.resource.tenantColumn]: call.caller.tenant })
    const draft = await call.read(entity, false, prepare && ((read) => prepare(read, call)))
    return write(call, alsoWrite, async () => {
      await call.unitOfWork.insert(draft, { expressions })
      await alsoWrite?.(call, draft)
      return draft
    })
  }
  if (!alsoWrite) insertingHandlers.add(handle as Operation['handle'])
  return {
    name: 'create',
    method: 'POST',
    path: '',
    title: genericTitles.create,
    expects: 'self',
    returns: 'item',
    statuses: [201, 400, 409, 413, 415, 422],
    writes,
    sets: prepare ? undefined : Object.keys(expressions ?? {}),
    handle,
  }
}

/** A merge patch with hooks. */
export function updateOperation<E extends PlainEntity>({
  writes,
  prepare,
  beforeUpdate,
  alsoWrite,
}: UpdateHooks<E> = {}): Operation<E> {
  return {
    name: 'update',
    method: 'PATCH',
    path: '/:id',
    title: genericTitles.update,
    expects: 'self',
    returns: 'item',
    statuses: [200, 400, 404, 409, 412, 413, 415, 422],
    writes,
    handle: (call) => patch(call, { prepare, beforeUpdate, alsoWrite }),
  }
}

/** A delete with hooks: they write other rows first, or refuse the delete. */
export function removeOperation<E extends PlainEntity>({ alsoWrite }: Pick<Hooks<E>, 'alsoWrite'> = {}): Operation<E> {
  return {
    name: 'remove',
    method: 'DELETE',
    path: '/:id',
    title: genericTitles.remove,
    returns: 'nothing',
    statuses: [204, 404, 409, 412],
    async handle(call) {
      const entity = await call.find()
      call.request.checkPreconditions(entity)
      return write(call, alsoWrite, async () => {
        await alsoWrite?.(call, entity)
        await call.unitOfWork.remove(entity)
        return undefined
      })
    },
  }
}

async function patch<E extends PlainEntity>(
  call: Call<E>,
  { prepare, beforeUpdate, alsoWrite }: UpdateHooks<E>,
): Promise<E> {
  const before = await call.find()
  call.request.checkPreconditions(before)
  const after = await call.read(before, true, prepare && ((draft) => prepare(draft, call)))
  const first = beforeUpdate?.(call, before, after)
  return write(call, first ?? alsoWrite, async () => {
    await first?.()
    await call.unitOfWork.save(before, after)
    await alsoWrite?.(call, after, before)
    return after
  }) as Promise<E>
}

/** Opens a transaction only where hooks run statements of their own: a single statement is atomic by itself. */
function write<E extends object>(
  call: Call<E>,
  hook: unknown,
  work: () => Promise<Outcome<object>>,
): Promise<Outcome<object>> {
  return hook ? call.unitOfWork.transaction(work) : call.unitOfWork.statement(work)
}
