import { writeSync } from 'node:fs'

/** One try at breaking a rule: it gives back what went wrong in a sentence, or nothing. */
export type Case = () => Promise<string | undefined>

/**
 * Runs a family of cases, group by group and a few at a time, and ends with a line that tells how many they were.
 * @param settled what has to hold after every group, whatever was tried in it
 */
export function testCaseGroups(
  name: string,
  cases: Record<string, Iterable<Case>>,
  { atOnce = 8, settled = async () => {} }: { atOnce?: number; settled?: () => Promise<void> } = {},
): void {
  const groups = Object.entries(cases).map(([title, all]) => [title, [...all]] as [string, Case[]])
  const count = groups.reduce((sum, [, all]) => sum + all.length, 0)
  let tried = 0
  test.each(groups)(
    '%s',
    async (_, all) => {
      expect(all).not.toEqual([])
      const faults = await runConcurrently(all, atOnce)
      tried += all.length
      expect(faults).toEqual([])
      await settled()
    },
    300_000,
  )

  const line = `${name}: ${count.toLocaleString('en')} cases`
  test(line, () => {
    expect(tried).toBe(count)
    writeSync(process.stderr.fd, `${line}\n`)
  })
}

/** The first ten failures. */
async function runConcurrently(cases: Case[], atOnce: number): Promise<string[]> {
  const left = [...cases]
  const faults: string[] = []
  const work = async () => {
    for (let next = left.shift(); next && faults.length < 10; next = left.shift()) {
      const fault = await next().catch((error) => `${error}`.slice(0, 300))
      if (fault) faults.push(fault)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return faults
}

/** The sentence where something does not hold. */
export function unless(holds: boolean, sentence: string): string | undefined {
  return holds ? undefined : sentence.slice(0, 300)
}
