import type { DataSource, EntityManager } from 'typeorm'
import { Organization, User } from '../../entities/index.ts'

// Locks that two modules share. Row locks and the advisory locks of transactions end with the transaction.
// A lock clause on a module's own table stands in the statement of that module. The lease of the embedded Postgres stands in
// `postmaster.ts`, which loads no entity.

type Connection = Pick<EntityManager, 'query'>

/**
 * Locks the row of an organization until the transaction ends. Transactions take it first when they change members, modules, or
 * the live subscription, so that each sees what the previous one wrote. Other writes to the organization wait, reads and inserts
 * of its rows do not.
 */
export function lockOrganization(manager: EntityManager, id: string): Promise<Organization> {
  return manager.findOneOrFail(Organization, { where: { id }, lock: { mode: 'for_no_key_update' } })
}

/** The same for a job, which may run after the organization was deleted. */
export function lockOrganizationIfExists(manager: EntityManager, id: string): Promise<Organization | null> {
  return manager.findOne(Organization, { where: { id }, lock: { mode: 'for_no_key_update' } })
}

/** Locks the row of a user, so that simultaneous requests of the same user count one after the other. */
export async function lockUser(manager: EntityManager, id: string): Promise<void> {
  await manager.findOneOrFail(User, { where: { id }, lock: { mode: 'for_no_key_update' } })
}

/** Locks a Stripe customer: one transaction at a time fetches and writes its state. */
export async function lockCustomer(manager: Connection, customer: string): Promise<void> {
  await lockName(manager, customer)
}

/** @returns false where another transaction holds the lock */
export async function tryLockCustomer(manager: Connection, customer: string): Promise<boolean> {
  const statement = 'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS "locked"'
  const [{ locked }] = await manager.query(statement, [customer])
  return locked
}

/** Locks an email address: of two users who take the same address, the second waits and sees that it is taken. */
export async function lockEmailAddress(manager: Connection, email: string): Promise<void> {
  await manager.query(`SELECT pg_advisory_xact_lock(hashtextextended('address ' || lower($1), 0))`, [email])
}

/** Locks the bank accounts of an organization: two of its integrations may import the same account at the same time. */
export async function lockBankAccounts(manager: Connection, organization: string): Promise<void> {
  await lockName(manager, `bank accounts of ${organization}`)
}

/** Locks the correction of kept totals: two at once would add the same difference twice. */
export async function lockTotals(manager: Connection): Promise<void> {
  await lockName(manager, 'kept totals')
}

/**
 * Locks the setting "meetingOverlap" while its change marks all meetings. Each write of a meeting takes the same lock for share, in
 * the database function "meeting_exclusive", which spells its name too.
 */
export async function lockMeetingOverlap(manager: Connection, organization: string): Promise<void> {
  await lockName(manager, `meetingOverlap ${organization}`)
}

/** Locks the demo data: one process at a time seeds it. */
export async function lockDemoData(manager: Connection): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock(7305812)')
}

/**
 * Works under an advisory lock of a connection of its own, across several transactions. The lock of a process that dies ends
 * with its connection.
 * @returns `busy`, without any work, where another connection holds the lock
 */
export async function withSessionLock<T>(
  database: DataSource,
  name: string,
  busy: T,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  const runner = database.createQueryRunner()
  try {
    const [{ locked }] = await runner.query('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS "locked"', [name])
    if (!locked) return busy
    try {
      return await work(runner.manager)
    } finally {
      await runner.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name])
    }
  } finally {
    await runner.release()
  }
}

async function lockName(manager: Connection, name: string): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name])
}
