/**
 * Runs the work for each item in turn. A failure, for example a lock timeout, does not keep the others from running.
 * @throws the first error, after all items
 */
export async function runAll<T>(all: Iterable<T>, work: (one: T) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = []
  for (const one of all) await work(one).catch((error) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
