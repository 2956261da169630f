/** Repeats a question until its answer is as expected, for jobs in the background. After a while it fails as it failed last. */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  expected: (answer: T) => void = () => {},
  seconds = 10,
): Promise<T> {
  const end = Date.now() + seconds * 1000
  for (;;)
    try {
      const answer = await ask()
      expected(answer)
      return answer
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
}
