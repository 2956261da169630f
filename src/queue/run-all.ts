/**
 * Does one after the other, whatever becomes of any: somebody may hold one for longer than anybody waits.
 * @throws what was thrown first, once all have had their turn
 */
export async function runAll<T>(all: Iterable<T>, work: (one: T) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = []
  for (const one of all) await work(one).catch((error) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
