import type { EntityManager } from 'typeorm'
import type { AuditAction } from '../../entities/audit-actions.ts'
import { AuditEvent } from '../../entities/index.ts'
import { type Call, changedColumns, insertRow } from '../hydra/index.ts'
import { isDistributed } from '../postgres/distribution.ts'
import { enqueueDeliveries, hasReceivers } from '../webhooks/enqueue-deliveries.ts'

/** The author of an event: the caller of a request, or the service itself in a job, a command or a webhook. */
export interface Author {
  /** The event joins the transaction of the change that it describes. */
  manager: EntityManager
  /** The tenant whose log receives the event. */
  tenant: string
  /** Absent where the service acts by itself. */
  caller?: { user: string | null; program?: string }
}

/** The author of a change that writes rows: a request, in one of the organizations that it changes. */
export type Writer = Pick<Call, 'manager' | 'tenant' | 'caller' | 'unitOfWork'>

export interface AuditRecord {
  by: Author
  /** For example `subscription.cancel`: the class, then the operation. */
  action: AuditAction
  /** The IRI of the resource that changed; of several that changed alike, all IRIs. */
  target: string | string[]
  changes: AuditEvent['changes']
}

/** Writes one audit event a target, and a delivery for each endpoint of webhooks. Without changes it writes nothing. */
export async function record({
  by,
  action,
  target,
  changes: { updatedAt: _, ...changes },
}: AuditRecord): Promise<void> {
  if (Object.keys(changes).length === 0) return
  const { user = null, program = null } = by.caller ?? {}
  const common = { organizationId: by.tenant, actorId: user, apiKeyId: program, action, changes }
  for (const each of [target].flat()) {
    const event = Object.assign(new AuditEvent(), common, { target: each })
    if (await insertEvent(by.manager, event)) await enqueueDeliveries(by.manager, event)
  }
}

/** Inserts an event, and returns whether an endpoint may receive it. RETURNING of Citus reads no other table. */
async function insertEvent(manager: EntityManager, event: AuditEvent): Promise<boolean> {
  const isAsked = !(await isDistributed(manager))
  const row = await insertRow(manager, event, isAsked ? { returning: `${hasReceivers} AS "hasReceivers"` } : {})
  return row.hasReceivers !== false
}

/** The hook of a create, update or remove operation that is audited: the action is the class and the operation's name. */
export async function recordWrite<E extends object>(call: Call<E>, after: E, before?: E): Promise<void> {
  const { name } = call.resource.shape
  const action = `${name[0].toLowerCase()}${name.slice(1)}.${call.operation.name}` as AuditAction
  const { manager, caller } = call
  const { organizationId: tenant = call.tenant } = after as { organizationId?: string }
  const changes = before ? changesBetween(manager, before, after) : writtenValues(call, after)
  await record({ by: { manager, tenant, caller }, action, target: call.resource.iri(after), changes })
}

/** The columns that differ between two states of a row, each as before and after. */
export function changesBetween(manager: EntityManager, before: object, after: object): AuditEvent['changes'] {
  const names = changedColumns(manager.connection.getMetadata(before.constructor), before, after)
  return Object.fromEntries(
    Object.keys(names).map((name) => [name, [before[name as never] ?? null, after[name as never] ?? null]]),
  )
}

/** A created row has null before each value, a removed row null after it. */
function writtenValues<E extends object>({ resource: { shape }, operation }: Call<E>, row: E): AuditEvent['changes'] {
  const isRemoved = operation.method === 'DELETE'
  const names = shape.fields.filter(({ writable }) => writable).map(({ name, key }) => key ?? name)
  const values = names.map((name) => [name, (row as Record<string, unknown>)[name] ?? null] as const)
  return Object.fromEntries(
    values
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, isRemoved ? [value, null] : [null, value]]),
  )
}
