import type { EntityManager } from 'typeorm'
import type { Executor } from '../model/store.ts'

/** Runs work on the connection of the manager's transaction, or else on a connection of its own. */
export async function withConnection<T>(
  { queryRunner, connection }: EntityManager,
  work: (executor: Executor) => Promise<T>,
): Promise<T> {
  if (queryRunner) return work(await queryRunner.connect())
  const runner = connection.createQueryRunner('master')
  try {
    return await work(await runner.connect())
  } finally {
    await runner.release()
  }
}
